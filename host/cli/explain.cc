#include "cli/explain.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <unordered_map>
#include <utility>

#include "base/enumerate.h"
#include "cli/format.h"
#include "cli/task_picture.h"
#include "workflow/rows.h"

namespace tasker::cli {
namespace {

using store::HandlerView;
using store::OpenWorker;
using store::StepView;
using workflow::StepState;

std::string Named(const OpenWorker& worker) {
  return "worker " + std::to_string(worker.id) + " (pid " + std::to_string(worker.pid) + ")";
}

class Explainer {
 public:
  explicit Explainer(const ExplainFacts& facts) : facts_(facts) {
    for (std::size_t at = 0; at < facts.view.steps.size(); ++at)
      index_.emplace(facts.view.steps[at].row.n, at);
    for (const HandlerView& handler : facts.handlers) handlers_.emplace(handler.id, &handler);
    for (const OpenWorker& worker : facts.workers) workers_.emplace(worker.id, &worker);
    any_alive_ = std::ranges::any_of(facts.workers, &OpenWorker::alive);
    FindBlockers();
  }

  std::vector<Reason> Run() {
    OfTask();
    for (const StepView& step : facts_.view.steps) OfStep(step);
    return std::move(reasons_);
  }

 private:
  // A step of a task that is over says nothing, unless its handler still runs.
  bool Over() const { return workflow::IsTerminal(facts_.view.summary.state); }

  const StepView* Step(std::int32_t n) const {
    const auto at = index_.find(n);
    return at == index_.end() ? nullptr : &facts_.view.steps[at->second];
  }

  // For each step the nearest one before it that has failed or was cancelled.
  void FindBlockers() {
    const auto& steps = facts_.view.steps;
    std::unordered_map<std::int32_t, std::vector<std::int32_t>> children;
    std::deque<std::int32_t> queue;
    for (const StepView& step : steps) {
      for (const std::int32_t parent : step.parents) children[parent].push_back(step.row.n);
      const bool blocks =
          step.row.state == StepState::kError || step.row.state == StepState::kCancelled;
      if (!blocks) continue;
      blockers_.emplace(step.row.n, step.row.n);
      queue.push_back(step.row.n);
    }
    while (!queue.empty()) {
      const std::int32_t n = queue.front();
      queue.pop_front();
      for (const std::int32_t child : children[n]) {
        if (blockers_.emplace(child, blockers_.at(n)).second) queue.push_back(child);
      }
    }
  }

  std::string In(Time at) const { return DurationText(at - facts_.now); }
  std::string Ago(Time at) const { return DurationText(facts_.now - at); }
  std::string HostHint() const {
    return any_alive_ ? "" : "; no host runs on this store: start one";
  }

  Reason& Add(const StepView& step, std::string code, std::string text) {
    Reason& reason = reasons_.emplace_back();
    reason.n = step.row.n;
    reason.step = step.name;
    reason.state = step.row.state;
    reason.code = std::move(code);
    reason.text = std::move(text);
    return reason;
  }

  Reason& Add(std::string code, std::string text) {
    Reason& reason = reasons_.emplace_back();
    reason.code = std::move(code);
    reason.text = std::move(text);
    return reason;
  }

  // How people call the worker of the step's claim, which goes into the reason.
  std::string WorkerOf(const StepView& step, Reason& reason) const {
    const std::int64_t id = workflow::WorkerOf(step.row.claim);
    reason.worker = id;
    const auto at = workers_.find(id);
    if (at == workers_.end()) return "worker " + std::to_string(id);
    reason.pid = at->second->pid;
    return Named(*at->second);
  }

  void OfTask() {
    const store::TaskSummary& task = facts_.view.summary;
    if (Over()) {
      Add("settled", "the task is " + std::string(workflow::Name(task.state)) +
                         ": nothing of it runs any more");
      return;
    }
    if (task.start) {
      Add("start_time",
          *task.start > facts_.now
              ? "the task waits for its start time, " + LocalTime(*task.start) + ", in " +
                    In(*task.start)
              : "the task's start time has come: the next turn of a host starts it" + HostHint())
          .at = task.start;
    }
    if (facts_.view.deadline) {
      const Time deadline = *facts_.view.deadline;
      Add("deadline",
          deadline > facts_.now
              ? "the task ends as an error at " + LocalTime(deadline) + ", in " + In(deadline) +
                    ", if it is not done by then"
              : "the task's deadline has passed: the next turn of a host ends it" + HostHint())
          .at = deadline;
    }
    if (!any_alive_) Add("no_host", "no host runs on this store: start one");
  }

  void OfStep(const StepView& step) {
    if (step.row.revoked) return OfRevoked(step);
    if (Over()) return;
    switch (step.row.state) {
      case StepState::kPending:
        return OfPending(step);
      case StepState::kEnqueued:
        return OfEnqueued(step);
      case StepState::kInProgress:
        return OfClaimed(step);
      case StepState::kWaitingForRetry:
        return OfWaiting(step);
      case StepState::kError:
        Add(step, "failed",
            "it has failed for good" + LastError(step) +
                "; a person must retry, resolve or cancel it");
        return;
      case StepState::kComplete:
      case StepState::kCancelled:
      case StepState::kResolvedManually:
        return;
    }
  }

  std::string LastError(const StepView& step) const {
    const auto& attempts = facts_.view.attempts;
    const auto last = std::find_if(attempts.rbegin(), attempts.rend(),
                                   [&](const auto& a) { return a.n == step.row.n; });
    const std::string text = last == attempts.rend() ? "" : ErrorText(*last);
    return text.empty() ? "" : ": " + text;
  }

  // The attempt has ended here, and its handler has not returned.
  void OfRevoked(const StepView& step) {
    const StepState state = step.row.state;
    const bool waits = state == StepState::kWaitingForRetry || state == StepState::kError;
    Reason& reason = Add(step, waits ? "stuck_attempt" : "still_runs", "");
    const std::int32_t attempt = step.row.attempts + (waits ? 0 : 1);
    reason.text = "attempt " + std::to_string(attempt) + " still runs in " + WorkerOf(step, reason);
    const auto at = workers_.find(*reason.worker);
    const OpenWorker* worker = at == workers_.end() ? nullptr : at->second;
    if (worker != nullptr && worker->stopped) {
      reason.text += ", whose process is stopped: let it go on (kill -CONT " +
                     std::to_string(worker->pid) + ") or kill it";
    } else if (worker != nullptr && !worker->alive) {
      reason.text += ", which has died: the next host that looks takes it over" + HostHint();
    }
    if (state == StepState::kWaitingForRetry) {
      reason.text += "; the next attempt starts after it has returned";
    } else if (state == StepState::kError) {
      reason.text += "; the step has failed, and can be retried after it has returned";
    } else {
      reason.text += "; it was told to stop, and what it returns is kept as late";
    }
  }

  void OfPending(const StepView& step) {
    std::vector<std::string> parents;
    std::vector<std::string> shown;
    for (const std::int32_t n : step.parents) {
      const StepView* parent = Step(n);
      if (parent == nullptr || workflow::Satisfies(parent->row.state)) continue;
      parents.push_back(parent->name);
      shown.push_back(parent->name + " (" + std::string(workflow::Name(parent->row.state)) + ")");
    }
    if (const auto blocked = blockers_.find(step.row.n); blocked != blockers_.end()) {
      const StepView& blocker = *Step(blocked->second);
      const bool cancelled = blocker.row.state == StepState::kCancelled;
      Reason& reason =
          Add(step, "failed_ancestor",
              "it waits for " + Joined(shown) + "; step " + blocker.name + " before it " +
                  (cancelled ? "was cancelled: it can never "
                               "run, and only the whole task "
                               "can be resolved or cancelled"
                             : "has failed: retry or resolve "
                               "that one"));
      reason.waits_for = {blocker.name};
    } else if (!parents.empty()) {
      Add(step, "waits_for_parents", "it waits for " + Joined(shown)).waits_for =
          std::move(parents);
    } else if (facts_.view.summary.start) {
      Add(step, "start_time", "it waits for the task's start time").at = facts_.view.summary.start;
    } else {
      Add(step, "inconsistent",
          "all that it depends on is done, and it was not made ready: that is a defect of the "
          "store's rows, please report it");
    }
  }

  void OfWaiting(const StepView& step) {
    const std::string attempt = "attempt " + std::to_string(step.row.attempts + 1) + " of " +
                                std::to_string(step.max_attempts);
    const Time due = step.row.due.value_or(facts_.now);
    if (due > facts_.now) {
      Add(step, "due_later",
          attempt + " is due at " + LocalTime(due) + ", in " + In(due) + LastErrorOfTry(step))
          .at = due;
      return;
    }
    Add(step, "overdue",
        attempt + " was due " + Ago(due) + " ago: the next turn of a host makes it ready" +
            HostHint())
        .at = due;
  }

  std::string LastErrorOfTry(const StepView& step) const {
    const std::string error = LastError(step);
    return error.empty() ? "" : "; the last one ended with" + error;
  }

  void OfClaimed(const StepView& step) {
    const auto at = workers_.find(workflow::WorkerOf(step.row.claim));
    const OpenWorker* worker = at == workers_.end() ? nullptr : at->second;
    if (worker == nullptr) return;  // It ended between two looks.
    const auto add = [&](const char* code, const std::string& text) {
      Reason& reason = Add(step, code, text);
      reason.worker = worker->id;
      reason.pid = worker->pid;
    };
    const std::string claimed =
        step.row.claimed ? " has claimed it " + Ago(*step.row.claimed) + " ago" : " has claimed it";
    if (!worker->alive) {
      add("worker_dead", Named(*worker) +
                             ", which claimed it, has died: the next host that looks takes it "
                             "over" +
                             HostHint());
    } else if (worker->stopped) {
      add("worker_stopped", Named(*worker) + claimed +
                                " and is unresponsive: its process is stopped; let it go on (kill "
                                "-CONT " +
                                std::to_string(worker->pid) + ") or kill it");
    } else if (facts_.held.contains(workflow::Number(step.row.claim)) &&
               std::ranges::find(worker->running, step.row.claim) == worker->running.end()) {
      add("not_started", Named(*worker) + claimed +
                             "; its handler has not started: it waits for a "
                             "thread");
    }
  }

  void OfEnqueued(const StepView& step);
  void OfServed(const StepView& step, const HandlerView* handler,
                const std::vector<const OpenWorker*>& live);

  const ExplainFacts& facts_;
  std::unordered_map<std::int32_t, std::size_t> index_;      // of n
  std::unordered_map<std::int32_t, std::int32_t> blockers_;  // n -> n
  std::unordered_map<std::int64_t, const HandlerView*> handlers_;
  std::unordered_map<std::int64_t, const OpenWorker*> workers_;
  bool any_alive_ = false;
  std::vector<Reason> reasons_;
};

void Explainer::OfEnqueued(const StepView& step) {
  const auto known = handlers_.find(step.row.handler);
  const HandlerView* handler = known == handlers_.end() ? nullptr : known->second;
  if (handler != nullptr && handler->paused) {
    std::string text = "handler '" + step.handler + "' is paused";
    if (handler->pause) {
      text += " by " + handler->pause->actor + " since " + LocalTime(handler->pause->at);
      if (!handler->pause->reason.empty()) text += " (" + handler->pause->reason + ")";
    }
    Add(step, "handler_paused", text + "; let it go on with handler resume");
    return;
  }
  std::vector<const OpenWorker*> live;
  if (handler != nullptr) {
    for (const HandlerView::Server& server : handler->servers) {
      const auto at = workers_.find(server.worker);
      if (at != workers_.end() && at->second->alive) live.push_back(at->second);
    }
  }
  if (!live.empty()) return OfServed(step, handler, live);
  if (!any_alive_) {
    Add(step, "no_host", "it is ready, and no host runs on this store: start one");
    return;
  }
  std::vector<std::string> names;
  for (const OpenWorker& worker : facts_.workers) {
    if (worker.alive) names.push_back(Named(worker));
  }
  Add(step, "no_handler",
      "no live worker has handler '" + step.handler + "'; live are " + Joined(names) +
          ": put a plugin that registers it into a plugin folder and restart "
          "a host");
}

// The step is ready and somebody who lives could run it.
void Explainer::OfServed(const StepView& step, const HandlerView* handler,
                         const std::vector<const OpenWorker*>& live) {
  std::vector<std::string> names;
  std::vector<std::string> busy;
  bool all_stopped = true;
  bool all_at_limit = true;
  const auto limit = facts_.handler_limits.find(step.handler);
  for (const OpenWorker* worker : live) {
    const auto server =
        std::ranges::find(handler->servers, worker->id, &HandlerView::Server::worker);
    all_stopped = all_stopped && worker->stopped;
    all_at_limit =
        all_at_limit && limit != facts_.handler_limits.end() && server->running >= limit->second;
    names.push_back(Named(*worker));
    busy.push_back(Named(*worker) + " runs " + std::to_string(worker->running.size()) +
                   (worker->stopped ? " and is stopped" : ""));
  }
  const std::string since =
      step.row.ready ? "it is ready since " + Ago(*step.row.ready) : std::string("it is ready");
  Reason* reason = nullptr;
  if (all_stopped) {
    reason = &Add(step, "worker_stopped",
                  since + ", and whoever has handler '" + step.handler +
                      "' is unresponsive, its process is stopped: " + Joined(names) +
                      "; let it go on (kill -CONT) or kill it");
  } else if (all_at_limit) {
    reason = &Add(step, "handler_limit",
                  since + ", and as many steps of handler '" + step.handler +
                      "' run as worker.handler_limits allows in one host, " +
                      std::to_string(limit->second) + ": " + Joined(busy));
  } else if (!facts_.namespaces.empty() &&
             std::ranges::find(facts_.namespaces, facts_.view.summary.ns) ==
                 facts_.namespaces.end()) {
    reason = &Add(step, "namespace",
                  since + "; worker.namespaces of this configuration leaves out its namespace, " +
                      facts_.view.summary.ns);
  } else {
    reason = &Add(step, "no_free_place",
                  since + " and is claimed when a place is free: " + Joined(busy));
    if (step.row.crashes > 0) {
      reason->text += "; its process has died " + Count(step.row.crashes, "time") +
                      ", so it runs in no host together with another such step";
    }
  }
  if (live.size() == 1) {
    reason->worker = live.front()->id;
    reason->pid = live.front()->pid;
  }
}

}  // namespace

std::vector<Reason> Explain(const ExplainFacts& facts) { return Explainer(facts).Run(); }

}  // namespace tasker::cli
