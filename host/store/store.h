#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"
#include "store/running_slots.h"
#include "store/worker_notice.h"
#include "workflow/decide.h"
#include "workflow/outcome.h"
#include "workflow/rows.h"

namespace tasker::store {

using workflow::ClaimId;
using workflow::StepKey;
using workflow::Workflow;

// Names who waits for the answer to one item of a turn. 0: nobody.
enum class Ticket : std::uint64_t {};

// What a turn is told. Texts are JSON where said; they were checked where they entered the process.

struct Submit {
  Ticket ticket{};
  Uuid task;  // made by the client: sending a submit again is idempotent by it
  std::int64_t template_id = 0;
  std::int32_t priority = 0;
  std::string context = "{}";   // JSON
  std::string envelope = "{}";  // JSON: what else upstream's TaskRequest says (pipeline/envelope.h)
  std::optional<std::string>
      identity;  // workflow::Identity(...): the same identity is the same task
  std::optional<Time> start_at;
};

// How a claim ended: success, failure, yield, hand-back; also the late return of a revoked one.
struct End {
  StepKey step;
  ClaimId claim{};
  workflow::Outcome outcome;
  Time claimed, started, ended;  // `started` is Time{} for a claim that never started
};

struct Checkpoint {
  Ticket ticket{};
  StepKey step;
  ClaimId claim{};
  std::string body;  // JSON
};

// What a person did to a task, or to its step `n`.
struct Act {
  using Kind = workflow::TaskAct::Kind;
  Ticket ticket{};
  Uuid id;  // made by the client: idempotent by it
  Uuid task;
  std::optional<std::int32_t> n;
  Kind kind = Kind::kCancel;
  std::string actor, reason;
  std::string result;  // JSON; of kResolve
};

struct Pause {
  Ticket ticket{};
  Uuid id;
  std::int64_t handler = 0;
  bool paused = true;
  std::string actor, reason;
};

// The complete set of handlers that this worker has.
struct Announce {
  std::vector<std::int64_t> handlers;
};

// The lock of this worker is free: its process is gone. `running`: the claims that its slots named.
struct Bury {
  std::int64_t worker = 0;
  std::string reason;
  std::vector<ClaimId> running;
};

using Event = std::variant<Submit, End, Checkpoint, Act, Pause, Announce, Bury>;

// How many more steps of any of these handlers are wanted. One per group of handlers that share a
// limit.
struct Demand {
  std::vector<std::int64_t> handlers;
  std::int32_t free = 0;
};

struct TurnInput {
  std::int64_t worker = 0;    // 0: a client, which never claims
  Time now;                   // one value for the whole turn
  std::uint64_t seed = 0;     // of the jitter
  std::vector<Event> events;  // in the order of their arrival
  std::vector<Demand> demand;
  std::int32_t free_total = 0;  // over all demands: places
};

struct Ack {
  enum class Code {
    kApplied,    // done, now or by an earlier sending of the same item
    kDuplicate,  // a task with this identity exists; detail is its uuid
    kStale,      // the claim is no longer this worker's
    kInvalid,    // it could not be stored; detail says why
    kConflict,   // the row's state forbids it, or what it names is not there; detail says why
  };
  Ticket ticket{};
  Code code = Code::kApplied;
  std::string detail;
};

// What an ancestor of a step left.
struct HydratedDependency {
  std::int32_t n = 0;
  std::string result;    // JSON
  std::string metadata;  // JSON object; empty: none
  Time ended;
};

// What a task was made with; nobody changes it.
struct TaskInput {
  std::string context, envelope;  // as in Submit

  std::size_t bytes() const { return context.size() + envelope.size(); }
};

// The texts of a task, as far as the worker that stored them still has them in memory. Immutable.
struct TaskTexts {
  std::shared_ptr<const TaskInput> input;  // owners: these of later turns, and attempts
  std::vector<std::shared_ptr<const HydratedDependency>> results;  // ascending by n; owned alike
  std::size_t bytes = 0;
};

struct Claimed {
  StepKey step;
  ClaimId claim{};
  Uuid task;
  std::shared_ptr<const Workflow>
      workflow;  // owners: the store's cache and every attempt that still reads it
  std::int32_t template_step = 0;
  std::int64_t handler = 0;
  std::int32_t attempt = 1;  // 1-based
  std::int32_t crashes = 0;
  std::int32_t priority = 0;
  Time ready, claimed, created;  // `created`: the task's
  // All that the step is to be given; null: it must be read (Reader::Hydrate). Owners: the store
  // and the attempt.
  std::shared_ptr<const TaskTexts> texts;

  const workflow::StepDefinition& definition() const {
    return workflow->definition.steps[static_cast<std::size_t>(template_step)];
  }
};

struct Change {
  StepKey step;
  workflow::StepState from, to;
};
struct Settled {
  Uuid task;
  workflow::TaskState state;
};

struct TurnOutput {
  std::vector<Ack> acks;  // one for each item that carries a ticket
  std::vector<Claimed> claimed;
  std::vector<workflow::Revocation> revoked;  // claims of any worker; each finds its own
  std::vector<Settled> settled;               // tasks that this turn settled
  std::optional<Time> next_due;  // when the next retry or start is due; a turn must be run then
  bool more_ready = false;  // enqueued steps of the demanded handlers were left for want of places
  bool committed = false;   // something was written: one commit
  bool others_committed = false;  // another process has, since the last turn that succeeded
};

struct NewWorker {
  Uuid uuid;
  std::string host, version;
  std::int64_t pid = 0;
  std::int32_t slots = 256;             // places: how many claims can run at once
  std::vector<std::string> namespaces;  // claims only tasks of these; empty: all
};
struct NewTemplate {
  std::string ns, name, version, sha256;
  std::string body;  // the YAML
};
struct HandlerName {
  std::string callable, resolver;  // no resolver is ""
  bool idempotent = false;
};

// A worker whose row is open, as seen by its lock.
struct OpenWorker {
  std::int64_t id = 0;
  std::int64_t pid = 0;
  std::string host, version;
  Time started;
  bool alive = false;            // its lock is held
  bool stopped = false;          // alive, and its process is stopped (SIGSTOP, a debugger)
  bool holds_turn = false;       // inside its turn, or the first that waits for it
  std::vector<ClaimId> running;  // what its slots name: of a dead one nothing after a reboot; of
                                 // this process nothing
  std::optional<WorkerNotice> notice;  // likewise
};
struct HeldClaim {
  StepKey step;
  ClaimId claim{};
};

// Where a pass of Store::Prune has come to; a fresh one begins a pass.
struct PruneCursor {
  std::size_t state = 0;  // of the terminal ones, by index
  std::int64_t task = 0;  // the last one seen of it
};
struct Pruned {
  std::int64_t tasks = 0, steps = 0;
  std::int64_t pages = 0;  // given back to the file system
  bool more = false;       // this pass is not at its end
};

class Reader;

struct OpenOptions {
  std::string path;       // absolute, of the database file
  bool create = true;     // false: kNotFound where there is none
  bool full_sync = true;  // false: a committed turn may be lost with the machine's power
  std::string group;      // the files' group; empty: they are 0600
  bool allow_network_fs = false;
  std::int32_t crash_max = 3;
  std::int64_t cache_steps_max = 200'000;  // step rows kept in memory
  // How long Open where it may create, a turn or a rare transaction waits for another process's
  // turn; then it fails with kUnavailable, which names that process. 0: as long as it takes.
  std::chrono::seconds wait_max{0};
  // Asked each second of such a wait, by the thread that waits: true ends it in the same way.
  std::function<bool()> give_up = {};
};

// Settings of SQLite that are for a whole process: for programs of ours only, before anything else
// uses SQLite. In somebody else's process they are not ours to choose.
void TuneProcess();

// The store of this process: one a process (POSIX locks belong to the process). Not thread-safe but
// for NewReader: one thread at a time; a host gives it to its turn thread.
class Store final {
 public:
  // Opens, creating where allowed, the database and its folder of locks. Errors say what is wrong
  // with which file and what to do: a network file system, wrong permissions, a newer or older
  // schema, a file that is no database, a store that this process already has open (kConflict).
  static Result<std::unique_ptr<Store>> Open(const OpenOptions& options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // One group commit: load, decide, save, claim, COMMIT. kNotApplied: certainly nothing happened.
  // kUnknown: it may have happened. Both may be sent again: idempotent. After kUnknown the worker
  // compares Claims() with what it holds.
  Result<TurnOutput> Commit(const TurnInput& in);

  // Rare transactions of their own, each idempotent.
  // Makes this process a worker: inserts the row, locks worker-<id>, then commits.
  Result<std::int64_t> Join(const NewWorker& worker);
  Status Leave(std::int64_t worker, const std::string& reason);
  // The ids of these texts, in order; unknown texts are added as current revisions, and their
  // handlers interned.
  struct Registered {
    std::int64_t id = 0;
    bool added = false;
    std::string replaced;  // sha256 of the text of the same version that it replaced as current;
                           // empty: none
  };
  Result<std::vector<Registered>> Register(std::span<const NewTemplate> templates);
  Result<std::vector<std::int64_t>> Intern(std::span<const HandlerName> handlers);

  // Deletes tasks that ended before then with all that belongs to them, and gives pages back: one
  // slice, of some 10 ms, in one transaction. Never a task with a pending dead letter, or one whose
  // handler may still run.
  Result<Pruned> Prune(Time ended_before, PruneCursor& cursor);

  // The claims that the store believes this worker holds.
  Result<std::vector<HeldClaim>> Claims(std::int64_t worker);
  // Those of them that have ended in the store while their handlers may still run.
  Result<std::vector<workflow::Revocation>> Revoked(std::int64_t worker);
  // Open worker rows, each with what its lock says. Never probes this process's own.
  Result<std::vector<OpenWorker>> Workers();
  // After Join. Lives as long as the store.
  RunningSlots& slots();
  NoticeBoard& board();

  // Readable (poll it) when another process rang, or this one; -1: none, then call Changed each
  // second.
  int bell_fd() const;
  // Empties the bell. Whether another process has committed since the last Commit, Changed or Open.
  Result<bool> Changed();
  // From Listen to the Unlisten that goes with it, other processes ring for every commit: else only
  // when there is something to do, or a task is settled. Thread-safe.
  void Listen();
  void Unlisten();
  // Called each second by the thread that waits for the turnstile; set between its waits. From then
  // on no wait is given up as OpenOptions say: only StopWaiting ends it.
  void set_on_wait(std::function<void()> on_wait);
  // Ends a wait for the turnstile, from any thread: what waits returns kUnavailable until the store
  // is closed.
  void StopWaiting();

  // A read connection of its own for one thread. Thread-safe.
  Result<std::unique_ptr<Reader>> NewReader() const;
  // The parsed template of this id, cached.
  Result<std::shared_ptr<const Workflow>> WorkflowOf(std::int64_t template_id);

  const std::string& path() const;
  // For people: "durable: fsync before acknowledge", or what is given up.
  std::string durability() const;

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tasker::store
