#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"
#include "plugin/ledger.h"
#include "workflow/outcome.h"

namespace tasker::plugin {

// What the host finds a handler by: templates name an id and, some of them, a resolver. Ids have no
// control characters.
inline std::string HandlerKey(std::string_view id, std::string_view resolver) {
  std::string key(id);
  if (!resolver.empty()) key.append(1, '\x1f').append(resolver);
  return key;
}

// A handler as a plugin registered it.
struct HandlerInfo {
  enum class Threads { kConcurrent, kSerial, kRuntime };

  std::string Key() const { return HandlerKey(id, resolver); }

  std::string id;
  std::string resolver;  // empty: serves the steps that name none
  std::string version;
  std::string description;
  std::string config_schema;
  Threads threads = Threads::kConcurrent;
  bool can_cancel = false;
  bool can_checkpoint = false;
  bool idempotent = false;
  std::uint32_t max_concurrency = 0;  // 0: no limit of its own
  std::uint32_t pool = 0;
};

// A JSON text that is either owned here or borrowed from something that outlives the attempt's
// token (a cached template).
struct Text {
  std::string owned;
  std::shared_ptr<const std::string>
      shared;  // owners: the template cache and every attempt that still reads it

  std::string_view view() const {
    if (shared) return *shared;
    return owned;
  }
};

// Everything that one attempt is given; the token owns it until its last reference is released.
struct StepInput {
  std::int64_t claim = 0;  // how the host knows the attempt; the plugin sees call_id
  std::uint32_t attempt = 1, max_attempts = 1, crashes = 0;
  std::int32_t priority = 0;
  Uuid task, step, correlation, call_id;
  std::string handler, method, resolver;
  std::string task_namespace, task_name, task_version, step_name;
  std::string idempotency_key;
  std::string context, dependencies, checkpoint, task_row, step_row;
  Text config, inputs, definition;
  std::optional<Steady> deadline;
  std::string traceparent;
};

// Why an attempt is asked to stop; the values are the ABI's TASKER_CANCEL_...
enum class CancelReason : std::int32_t {
  kTimeout = 1,
  kCancelled = 2,
  kResolved = 3,
  kShutdown = 4
};

// What plugins' calls reach in the host. Each is called on any thread, must not block (but for
// checkpoint) and must not call back into the plugin. The object outlives every instance.
struct HostCalls {
  // The attempt ended: exactly once for each start that was accepted. `started` is when start() was
  // called.
  std::function<void(std::int64_t claim, workflow::Outcome outcome, Steady started)> finished;
  // Blocks until the checkpoint is durable, refused (kConflict: the attempt is no longer this
  // worker's) or the host stops (kUnavailable).
  std::function<Status(std::int64_t claim, std::string body)> checkpoint;
  // A handler was registered or unregistered, or a runtime's capacity grew: demand has changed.
  std::function<void()> demand_changed;
  // The extensions tasker.client/1 (may block) and tasker.status/1; JSON in and out. Empty: not
  // offered.
  std::function<Result<std::string>(std::string_view operation, std::string_view request)> client =
      {};
  std::function<std::string()> status = {};
};

// Limits that the plugin side enforces, from Config.
struct Limits {
  std::size_t result_max_bytes = std::size_t{4} << 20;
  std::size_t checkpoint_max_bytes = std::size_t{1} << 20;
  std::size_t error_max_bytes = std::size_t{64}
                                << 10;  // each text of a failure; longer ones are cut, and say so
  std::size_t json_depth_max = 64;
};

// One loaded plugin. Implementations: InProcess, and the tests' ScriptedInstance; later the
// isolated child. Thread-safe unless said otherwise.
class Instance {
 public:
  virtual ~Instance() = default;

  virtual const std::string& name() const = 0;     // the plugin's own
  virtual const std::string& version() const = 0;  // the plugin's own
  virtual const std::string& file() const = 0;     // for people: the path, or "built in"

  // Starts one attempt of a handler, named by its key, on the calling thread; returns when the
  // handler's start() does, which for most handlers is when it has ended. While an attempt of a
  // serial handler starts, others of it are queued, and started by the thread that is there
  // already. Whatever happens, HostCalls::finished follows exactly once: HandedBack{started =
  // false} when the handler is not here, its pool takes nothing now, or the instance ends; Failed
  // when start() refuses.
  virtual void Start(std::string_view handler, std::unique_ptr<StepInput> input) = 0;

  // Asks the attempt of this claim to stop. Never blocks: the plugin's cancel() runs on its control
  // thread.
  virtual void Cancel(std::int64_t claim, CancelReason reason) = 0;

  // Steps name this handler and nobody serves it: the plugin may register it. Never blocks: the
  // plugin is asked on its control thread.
  virtual void Want(std::string id, std::string method, std::string resolver) = 0;

  // How many more steps of this runtime pool may be handed over now.
  virtual std::uint32_t Capacity(std::uint32_t pool) const = 0;

  // Attempts started and not ended, and of those the handler ids and running times, for people.
  struct Running {
    std::int64_t claim;
    std::string handler, step_name, note;
    double progress;  // negative: unknown
    Steady since;
  };
  virtual std::vector<Running> RunningCalls() const = 0;

  // Ends the instance: the plugin's drain with this deadline, then, if nothing still runs, destroy
  // of its handlers and shutdown. What still runs is leaked with the plugin and named in the error.
  // Idempotent.
  virtual Status Stop(Steady deadline) = 0;
  // After Stop: what the plugin held when the host ceased to wait for it.
  virtual Ledger Leaked() const = 0;
};

}  // namespace tasker::plugin
