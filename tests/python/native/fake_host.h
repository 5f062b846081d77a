#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <tasker/ext/client.h>
#include <tasker/ext/status.h>
#include <tasker/plugin.h>

#include "base/mutex.h"

namespace tasker::testing {

// The host as a plugin sees it: a table of functions that note what they are called with. Each of
// them first calls `probe`: it hangs if the caller holds a lock that the probe needs. Thread-safe.
class FakeHost final {
 public:
  FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  const tasker_host& table() const { return table_; }
  tasker_plugin* plugin() { return reinterpret_cast<tasker_plugin*>(this); }
  tasker_call* NewCall();

  // What ended the attempt, all of it: "" while it runs, "complete {...}", "hand_back", ...
  std::string EndOf(tasker_call* call);
  int ReleasesOf(tasker_call* call);
  int live_calls();
  std::vector<std::uint32_t> capacities();  // of pool 0
  std::uint32_t capacity(std::uint32_t pool = 0);
  std::vector<std::string> log();
  std::vector<std::string> registered();

  // Set before it is used.
  std::function<void()> probe = [] {};
  tasker_status answer = TASKER_OK;  // of register_handler, heartbeat, checkpoint and the client
  std::string sentence;              // of an error
  bool has_extensions = true;
  std::function<void()> in_client = [] {};
  std::atomic<int> replies_released{0};

 private:
  struct Call {
    FakeHost* host = nullptr;
    std::string end;
    int releases = 0;
  };

  static FakeHost& Of(tasker_plugin* plugin) { return *reinterpret_cast<FakeHost*>(plugin); }
  static Call& Of(tasker_call* call) { return *reinterpret_cast<Call*>(call); }
  tasker_status End(Call& call, std::string end);
  void SetUpCalls();
  void SetUpPlugin();
  void SetUpErrors();

  tasker_host table_{};
  tasker_client client_{};
  tasker_status_ext status_{};

  Mutex mu_;
  std::deque<Call> calls_ GUARDED_BY(mu_);
  std::map<std::uint32_t, std::vector<std::uint32_t>> capacities_ GUARDED_BY(mu_);
  std::vector<std::string> log_ GUARDED_BY(mu_);
  std::vector<std::string> registered_ GUARDED_BY(mu_);
};

}  // namespace tasker::testing
