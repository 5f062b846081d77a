#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"
#include "config/config.h"
#include "pipeline/submission.h"
#include "plugin/instance.h"
#include "store/reads.h"
#include "store/store.h"
#include "workflow/state.h"

struct tasker_plugin_entry;

// submit ──┐                                    ┌─ plugin handler ─┐
//          ├─► inbox ─► TURN ─► dispatcher ─► executor ─► Start ───┴─► Outcome ─► inbox ─► TURN
// CLI,bell ┘     turn_loop drives store::Commit     hydrates            (HostCalls::finished)
namespace tasker::pipeline {

struct HostStatus : store::WorkerNotice {
  std::int64_t worker = 0;
  std::string store_path, durability;
  bool ready = false;       // claims work; else `not_ready` says why not
  std::uint64_t beats = 0;  // grows at least once a second while the turn thread makes progress
  std::vector<plugin::Instance::Running> running;
  std::vector<std::string> missing_handlers;
};

// A plugin that is linked into this program.
struct BuiltIn {
  const tasker_plugin_entry* entry = nullptr;
  std::string file;  // of the same plugin as a library, such as "libtasker_x.so": not loaded
};

struct Submitted {
  Uuid task;
  bool duplicate = false;  // a task with this key existed; `task` is that one
};

// One running worker: opens the store, joins it, buries dead workers, loads plugins and templates,
// starts the threads. Built, started and stopped by one thread; Submit, WaitSettled, status are
// thread-safe.
class Host final {
 public:
  // Everything is up when it returns: the worker is in the store, handlers are announced, steps are
  // claimed. Errors of single plugins and templates are logged and do not prevent the start; a
  // store that cannot be opened does.
  // `give_up`: asked each second while another process holds the store; true ends the start with
  // kUnavailable, which names that process.
  static Result<std::unique_ptr<Host>> Start(const config::Config& config,
                                             const std::vector<BuiltIn>& built_in = {},
                                             const std::function<bool()>& give_up = {});
  ~Host();  // Stop with the deadline now.
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Returns once the task is durable. `name`: as pipeline::TemplateName reads it, of the templates
  // loaded here.
  Result<Submitted> Submit(const std::string& name, const Submission& submission);
  // The state of the task once it is settled; kTimeout when the deadline comes first.
  Result<workflow::TaskState> WaitSettled(const Uuid& task, Steady deadline);
  // What a person wants of a task. kConflict: its state forbids it, or it is not there.
  Status Act(store::Act act);
  HostStatus status() const;
  // What there is in the store, read now.
  Result<store::StoreCounts> Counts();

  // Stops claiming, lets what runs finish until the deadline, asks the rest to cancel, hands back
  // what did not start or still runs, flushes the last turn, ends plugins, leaves the store.
  // Idempotent. kTimeout: handlers still run and were left behind; the sentence names them, and the
  // process should exit by _exit.
  Status Stop(Steady deadline);
  // Makes a Stop in progress act as if its deadline were now. Any thread.
  void Hurry();

 private:
  struct State;
  explicit Host(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tasker::pipeline
