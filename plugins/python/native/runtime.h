#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <tasker/ext/resolver.h>
#include <tasker/plugin.h>

#include "host_link.h"
#include "step_queue.h"

namespace tasker::python {

struct HandlerSpec {
  std::string id, version;
  std::uint32_t max_concurrency = 0;
  bool idempotent = false;
  bool is_async = false;  // its attempts occupy no thread

  bool operator==(const HandlerSpec&) const = default;
};

// The runtime plugin: one a process, never destroyed, through the same ABI whether it is loaded as
// a library or contained in the extension module. Thread-safe.
class Runtime final {
 public:
  // All called without the GIL; they take it through WithGil.
  struct Callbacks {
    std::function<void(const std::string& event, const char* reason)> cancel;
    std::function<bool(const std::string& id, const std::string& method,
                       const std::string& resolver)>
        can_resolve;
  };

  static Runtime& OfProcess();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // What tasker_plugin_v1 returns.
  static const tasker_plugin_entry& Entry();

  HostLink& link() { return link_; }
  StepQueue& queue() { return queue_; }

  // Throws HostError, for instance where another plugin has the id. What this plugin has registered
  // itself is replaced by what is said now.
  void Register(const std::vector<HandlerSpec>& handlers);
  void Unregister(const std::string& id);
  void SetCancel(decltype(Callbacks::cancel) cancel);
  // Without one, steps of any handler can be run while somebody polls. What the last one had found
  // is asked again.
  void SetResolver(decltype(Callbacks::can_resolve) can_resolve);

  // As StepQueue::Poll, for Python.
  std::optional<std::string> Poll();
  // After a host that left this plugin behind: nothing of it is used any more.
  void Abandon();

 private:
  struct Wanted {
    std::string id, method, resolver;
    auto operator<=>(const Wanted&) const = default;
  };

  // What a handler's functions are given: whose it is, and what its attempts occupy.
  struct Lane {
    Runtime& runtime;
    std::uint32_t pool;
  };

  Runtime() = default;
  using Key = std::pair<std::string, std::string>;  // id, resolver

  void RegisterOne(const HandlerSpec& spec, const std::string& resolver);
  void RegisterFound(const Wanted& wanted);
  void AddUnresolved(const Wanted& wanted);
  void TellHost(const HandlerSpec& spec, const std::string& resolver);
  void ForgetId(const std::string& id);  // with registering_mu_
  void ForgetFound();
  void AskAgain();
  bool Ask(const Wanted& wanted);
  void KeepPoller();
  void EndKeeper();
  void Keep();

  static tasker_status Init(const tasker_host* host, tasker_plugin* plugin, tasker_bytes config,
                            void** state, tasker_error* error) noexcept;
  static tasker_status Drain(void* state, std::int64_t deadline_ns) noexcept;
  static void Shutdown(void* state) noexcept;
  static const void* Extension(void* state, const char* id) noexcept;
  static void Want(void* state, tasker_str id, tasker_str method, tasker_str resolver) noexcept;
  static tasker_status Start(void* self, const tasker_step* step, tasker_call* call,
                             tasker_error* error) noexcept;
  static void Cancel(void* self, tasker_call* call, std::int32_t reason) noexcept;

  HostLink link_;
  StepQueue queue_{link_};
  Lane lanes_[kPools] = {{*this, kSyncPool}, {*this, kAsyncPool}};

  std::mutex registering_mu_;  // one registration at a time; taken before mu_
  std::map<Key, HandlerSpec> registered_;
  std::set<Wanted> found_;  // those of registered_ that only a resolver's word is behind

  std::mutex mu_;  // of what follows
  Callbacks callbacks_;
  std::set<Wanted> unresolved_;
  bool keeping_ = false;
  std::condition_variable keeper_changed_;
  std::thread keeper_;
};

}  // namespace tasker::python
