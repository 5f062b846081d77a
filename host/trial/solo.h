#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "plugin/instance.h"
#include "plugin/registry.h"
#include "workflow/outcome.h"

namespace tasker::trial {

// A host of one plugin, without a store: runs one attempt at a time and keeps what comes of it.
// Checkpoints are kept in memory. Of one thread.
class Solo final {
 public:
  // Loads the plugin and calls its init. The errors are the loader's: whole sentences.
  static Result<std::unique_ptr<Solo>> Load(const std::string& file, const std::string& config_json,
                                            const plugin::Limits& limits);
  ~Solo();
  Solo(const Solo&) = delete;
  Solo& operator=(const Solo&) = delete;

  plugin::Instance& instance() { return *instance_; }
  std::vector<plugin::HandlerInfo> Handlers() const;
  // Whether it may find handlers when they are wanted.
  bool may_find_more() const { return may_find_more_; }

  // Waits until the handler, named by its key, is there and takes an attempt; a plugin that finds
  // handlers when they are wanted is asked for it. False: the deadline came first, or `also`
  // became readable.
  bool WaitReady(std::string_view id, const std::string& method, const std::string& resolver,
                 Steady deadline, int also = -1);

  // Starts the attempt on a thread as the host's pool has them: with all signals blocked. The one
  // before it has ended.
  void Start(std::unique_ptr<plugin::StepInput> input);

  struct End {
    workflow::Outcome outcome;
    std::chrono::microseconds took{0};
  };
  // The end of the last attempt that was started.
  enum class Waited { kEnded, kTimeUp, kOther };
  Waited WaitEnd(Steady deadline, int also = -1);  // kOther: `also` is readable
  std::optional<End> end() const;
  std::vector<std::string> checkpoints() const;  // in the order in which they came

  // Instance::Stop; what was started has to be stopped. After an error the plugin still runs and
  // uses this object: keep it, and end the process by _exit.
  Status Stop(Steady deadline);

 private:
  Solo();
  bool Ready(const std::string& key) const;
  // False: the deadline came or `also` is readable.
  bool WaitChange(Steady deadline, int also) const;
  void Changed() const;

  const UniqueFd changed_;
  plugin::HandlerRegistry registry_;
  plugin::HostCalls calls_;
  std::unique_ptr<plugin::Instance> instance_;
  bool may_find_more_ = false;
  std::thread worker_;

  mutable Mutex mu_;
  std::int64_t claim_ GUARDED_BY(mu_) = 0;
  std::optional<End> end_ GUARDED_BY(mu_);
  std::vector<std::string> checkpoints_ GUARDED_BY(mu_);
};

}  // namespace tasker::trial
