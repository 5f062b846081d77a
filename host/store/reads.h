#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"
#include "store/store.h"
#include "workflow/rows.h"
#include "workflow/state.h"

namespace tasker::store {

// What a handler is given beside its template.
struct Hydrated {
  TaskInput input;
  std::vector<HydratedDependency>
      dependencies;                  // those of the ancestors that have a result, ascending by n
  std::string checkpoint;            // JSON; empty: none
  std::optional<Time> last_attempt;  // the end of the step's last one
};

struct TaskSummary {
  std::int64_t id = 0;
  Uuid uuid;
  std::string ns, name, version;
  workflow::TaskState state = workflow::TaskState::kPending;
  std::int32_t priority = 0;
  std::int32_t steps = 0, open = 0, active = 0, retrying = 0, failed = 0;
  Time created;
  std::optional<Time> start, ended;
};
struct TaskFilter {
  std::optional<workflow::TaskState> state;
  std::string ns, name;                   // empty: any
  std::int32_t limit = 50;                // 1..1000
  std::optional<std::int64_t> before_id;  // the page that follows: tasks with smaller ids
};
struct StepView {
  workflow::StepRow row;
  std::string name, handler, resolver;
  std::int32_t max_attempts = 1;
  std::vector<std::int32_t> parents;
  bool served = false;  // a live worker has its handler
};
struct AttemptView {
  std::int32_t n = 0;
  ClaimId claim{};
  workflow::AttemptOutcome outcome{};
  std::optional<Time> ready, claimed, started;
  Time ended;
  std::string error;  // JSON; empty: none
};
struct ActionView {
  std::optional<std::int32_t> n;
  Time at;
  std::string kind, actor, reason;
};
struct TaskView {
  TaskSummary summary;
  std::string context;                // JSON
  std::string envelope;               // JSON: who asked for it, and why
  std::vector<StepView> steps;        // ascending by n
  std::vector<AttemptView> attempts;  // by end time
  std::vector<ActionView> actions;
  std::optional<Time> deadline;  // it ends then, whatever has become of it
};
// A handler that templates or workers name, with what there is to do for it.
struct HandlerView {
  struct Server {
    std::int64_t worker = 0;
    std::int64_t running = 0;  // its claims there; those that ended here but still run, too
  };
  std::int64_t id = 0;
  HandlerName name;
  bool paused = false;
  std::optional<ActionView> pause;  // by whom; while it is paused
  std::vector<Server> servers;      // the open workers that announced it, whether they live or not
  std::int64_t enqueued = 0;        // steps, counted up to 10,000
  std::optional<Time> oldest_ready;
};
struct DeadLetterView {
  std::int64_t id = 0;
  Uuid task;
  std::string ns, name;  // of the template
  std::int32_t n = 0;
  std::string step, handler;
  std::string reason;  // max_attempts_exceeded, permanent_error, worker_lost or poison
  Time at;
  std::string snapshot;    // JSON: attempts, crashes, the last error
  std::string resolution;  // "pending" until a person acts on the step
  std::string notes;
  workflow::StepState state{};  // of the step, by now
};
struct DeadLetterFilter {
  bool all = false;                       // also those that are not pending any more
  std::int32_t limit = 50;                // 1..1000
  std::optional<std::int64_t> before_id;  // the page that follows
};
struct TemplateView {
  std::int64_t id = 0;
  std::string ns, name, version, sha256, body;
  bool current = false;
  Time created;
};
struct MissingHandler {
  std::string callable, resolver;
  std::int64_t steps = 0;  // enqueued, counted up to 10,000
  Time oldest_ready;
};
struct StoreCounts {
  std::vector<std::pair<workflow::TaskState, std::int64_t>> tasks;
  std::int64_t enqueued = 0, in_progress = 0, waiting_for_retry = 0;
  std::optional<Time> oldest_ready;
  struct OldestStep {
    Uuid task;
    std::int32_t n = 0;
    std::string handler;
  };
  std::optional<OldestStep> oldest_step;  // that is ready since `oldest_ready`
  std::int64_t dead_letters = 0;          // pending
  std::int64_t file_bytes = 0, wal_bytes = 0;
};

// Reads of one thread, each in a short read transaction of its own. What is not there is kNotFound,
// with a sentence.
class Reader final {
 public:
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // `ancestors` ascending. kInvalid when the sum of the texts exceeds `bytes_max`; the sentence
  // names the limit.
  Result<Hydrated> Hydrate(StepKey step, std::span<const std::int32_t> ancestors,
                           std::int64_t bytes_max);

  // The end of the step's last attempt; nothing before the first.
  Result<std::optional<Time>> LastAttempt(StepKey step);

  Result<std::vector<TaskSummary>> Tasks(const TaskFilter& filter);
  Result<TaskSummary> Summary(const Uuid& task);
  Result<TaskView> Task(const Uuid& task);
  // A full uuid, or the beginning of one (at least 8 characters) that only one task has.
  Result<Uuid> FindTask(std::string_view uuid_or_prefix);
  // kNotFound where there is none.
  Result<std::string> Payload(StepKey step, workflow::PayloadKind kind);

  // Current revisions, sorted by namespace, name, version; all revisions where asked.
  Result<std::vector<TemplateView>> Templates(bool all_revisions);
  Result<TemplateView> Template(std::int64_t id);

  // Enqueued steps whose handler no live worker serves. `alive`: ids of the workers that live
  // (Store::Workers).
  Result<std::vector<MissingHandler>> Missing(std::span<const std::int64_t> alive);
  // The handlers that one worker announced.
  Result<std::vector<HandlerName>> HandlersOf(std::int64_t worker);
  Result<std::vector<std::int64_t>> HandlerIdsOf(std::int64_t worker);
  Result<StoreCounts> Counts();
  // Every handler that the store knows, by its name.
  Result<std::vector<HandlerView>> Handlers();

  // The newest first.
  Result<std::vector<DeadLetterView>> DeadLetters(const DeadLetterFilter& filter);
  Result<std::vector<DeadLetterView>> DeadLettersOf(StepKey step);

  struct State;  // of the implementation

 private:
  friend class Store;
  explicit Reader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tasker::store
