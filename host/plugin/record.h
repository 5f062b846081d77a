#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include <tasker/plugin.h>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "plugin/abi.h"
#include "plugin/attempts.h"
#include "plugin/control_thread.h"
#include "plugin/handlers.h"
#include "plugin/instance.h"
#include "plugin/ledger.h"
#include "plugin/registry.h"
#include "plugin/uplink.h"

namespace tasker::plugin {

// The host's record of one plugin instance: what the plugin's tasker_plugin* points at. It outlives
// its Instance when the plugin had to be left behind. Thread-safe, but for Init and Stop.
class Record final {
 public:
  // The instance and the registry are not used after Stop, nor are the calls.
  Record(Instance& instance, const PluginEntry& entry, std::string file, HandlerRegistry& registry,
         const HostCalls& calls, const Limits& limits);
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;

  static Record& Of(tasker_plugin* plugin) { return *reinterpret_cast<Record*>(plugin); }
  tasker_plugin* handle() { return reinterpret_cast<tasker_plugin*>(this); }

  const std::string& name() const { return entry_.name; }
  const std::string& file() const { return file_; }
  Attempts& attempts() { return attempts_; }
  std::uint32_t Capacity(std::uint32_t pool) const { return handlers_.FreeOf(pool); }

  // The plugin's init, then all its handlers into the registry, or none. Once; after an error the
  // plugin is not called again.
  Status Init(const std::string& config_json);

  // Once, after Init. The plugin's drain, and when all its attempts have returned by the deadline,
  // destroy of its handlers and shutdown. kTimeout: something did not return, and the message says
  // what; the record has to stay.
  Status Stop(Steady deadline);
  Ledger leaked() const;  // after Stop
  // Nothing of the plugin runs any more, as far as the host can know.
  bool returned() const { return attempts_.returned() && control_.ended(); }

  // The ABI's functions of these names.
  tasker_status Register(const tasker_handler* handler, tasker_error* error);
  tasker_status Unregister(std::string_view id, tasker_error* error);
  void SetCapacity(std::uint32_t pool, std::uint32_t free);
  Uplink& uplink() { return uplink_; }
  // Counts the buffers that the plugin was given to release. Owners: the record, and each buffer,
  // which may outlive it.
  const std::shared_ptr<std::atomic<std::size_t>>& buffers() { return buffers_; }

  // Asks the plugin, on its control thread, for a handler that steps wait for.
  void Want(std::string id, std::string method, std::string resolver);

 private:
  enum class State { kLoading, kReady, kEnding };

  Status CallInit(const std::string& config_json);
  Status Commit();
  Status Add(std::unique_ptr<Handler> handler, bool& ready) EXCLUDES(mu_);
  // Runs a call of the plugin's end; false: it did not return by the deadline, or threw.
  bool CallToEnd(const char* noun, std::function<void()> call, Steady deadline);
  bool Drain(Steady deadline);
  bool Shutdown(Steady deadline);
  Status LeaveBehind();
  void CloseLedger();

  const PluginEntry entry_;
  const std::string file_;
  Instance& instance_;
  HandlerRegistry& registry_;
  Uplink uplink_;
  HandlerTable handlers_;
  ControlThread control_;
  Attempts attempts_;
  const std::shared_ptr<std::atomic<std::size_t>> buffers_ =
      std::make_shared<std::atomic<std::size_t>>(0);
  void* state_ = nullptr;  // the plugin's own; of the control thread

  mutable Mutex mu_;
  Ledger leaked_ GUARDED_BY(mu_);
  std::string threw_ GUARDED_BY(mu_);  // the call that an exception left
  State phase_ GUARDED_BY(mu_) = State::kLoading;
};

}  // namespace tasker::plugin
