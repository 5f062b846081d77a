#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "store/reads.h"
#include "workflow/state.h"

// Answers "why is this not running?" from what the store and its locks say.
namespace tasker::cli {

struct ExplainFacts {
  store::TaskView view;
  std::vector<store::OpenWorker> workers;
  // The claims that steps of the task had both before and after the workers were looked at: only of
  // these does a worker's silence say that they have not started.
  std::unordered_set<std::int64_t> held;
  std::vector<store::HandlerView> handlers;
  // worker.handler_limits and worker.namespaces of the configuration that the command was given:
  // the hosts' own are in no table.
  std::map<std::string, std::int64_t> handler_limits;
  std::vector<std::string> namespaces;
  Time now;
};

struct Reason {
  std::optional<std::int32_t> n;  // nothing: it is about the whole task
  std::string step;
  std::optional<workflow::StepState> state;
  // For scripts. Of a task: settled, start_time, deadline, no_host. Of a step: waits_for_parents,
  // failed_ancestor, start_time, failed, due_later, overdue, stuck_attempt, still_runs, no_host,
  // no_handler, handler_paused, worker_stopped, worker_dead, handler_limit, namespace,
  // no_free_place, not_started, inconsistent.
  std::string code;
  std::string text;                    // one sentence without its full stop
  std::vector<std::string> waits_for;  // names of steps
  std::optional<std::int64_t> worker;  // that it waits for
  std::optional<std::int64_t> pid;     // of that worker, while its row is open
  std::optional<Time> at;              // when something happens by itself
};

// Of the task first, then of each step that does not run although it is not done, ascending by n.
std::vector<Reason> Explain(const ExplainFacts& facts);

}  // namespace tasker::cli
