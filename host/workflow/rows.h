#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "workflow/state.h"

namespace tasker::workflow {

struct StepKey {
  std::int64_t task = 0;
  std::int32_t n = 0;

  auto operator<=>(const StepKey&) const = default;
};

// One claim of one step, never reused: worker id << 40 | counter. 0: none. The only fence.
enum class ClaimId : std::int64_t {};
inline constexpr int kClaimWorkerShift = 40;
inline std::int64_t Number(ClaimId claim) { return static_cast<std::int64_t>(claim); }
inline std::int64_t WorkerOf(ClaimId claim) { return Number(claim) >> kClaimWorkerShift; }

// The hot rows, as a store keeps them and Decide changes them.
struct TaskRow {
  std::int64_t id = 0;
  Uuid uuid;
  std::int64_t template_id = 0;
  TaskState state = TaskState::kPending;
  std::int32_t priority = 0;
  std::int32_t open = 0;         // steps that are not final
  std::int32_t active = 0;       // enqueued + in_progress + waiting_for_retry
  std::int32_t retrying = 0;     // waiting_for_retry
  std::int32_t failed = 0;       // error
  std::optional<Time> start;     // not before; cleared when it has come
  std::optional<Time> deadline;  // it ends then, whatever has become of it
  std::optional<Time> ended;
  Time created{};

  bool operator==(const TaskRow&) const = default;
};

struct StepRow {
  std::int32_t n = 0;
  std::int32_t template_step = 0;  // index in the graph; equals n but for dynamic steps
  std::int64_t handler = 0;
  StepState state = StepState::kPending;
  std::int32_t waiting_for = 0;  // parents that do not satisfy yet
  std::int32_t priority = 0;     // the task's, copied for the ready index
  std::int32_t attempts = 0;     // tries that the handler or a timeout ended
  std::int32_t crashes = 0;      // tries that died with their process
  ClaimId claim{};
  bool revoked = false;  // `claim` has ended here, and its handler may still run
  std::optional<Time> due, ready, claimed, ended;

  bool operator==(const StepRow&) const = default;
};

// How an attempt ended, as stored: append only.
enum class AttemptOutcome : std::int8_t {
  kComplete = 1,
  kError = 2,  // the handler failed; the error says whether a retry was allowed
  kTimeout = 3,
  kYielded = 4,
  kWorkerLost = 5,  // its process died
  kHandedBack = 6,  // it had started, and its host ended
  kCancelled = 7,   // cancelled or resolved while it ran
};
std::string_view Name(AttemptOutcome outcome);

enum class PayloadKind : std::int8_t { kInputs = 1, kCheckpoint = 2, kResult = 3, kMetadata = 4 };

// The task and those of its steps that a turn has loaded; remembers what the store holds.
class TaskRows final {
 public:
  struct Slot {
    StepRow row;
    StepRow stored;  // as in the store; meaningless while `fresh`
    bool fresh = false;
    bool touched = false;
  };

  TaskRow task;
  TaskRow stored_task;
  bool fresh = false;  // the task is not in the store yet

  // Null if it was not loaded. The pointer holds until the next Put.
  Slot* Find(std::int32_t n);
  // A row as read from the store.
  void Put(const StepRow& row);
  // A row that the store does not have yet. In ascending order of n.
  void PutFresh(const StepRow& row);
  std::vector<Slot>& slots() { return slots_; }
  // What was saved is what is stored.
  void MarkSaved();
  // Counts the steps, all of which are loaded and untouched, into the task and its stored copy.
  void Recount();

 private:
  std::vector<Slot> slots_;  // ascending by n
};

}  // namespace tasker::workflow
