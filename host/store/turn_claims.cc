// The last stage of a turn before it is saved: who may run next.
#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "store/turn.h"

namespace tasker::store {
namespace {

using workflow::StepState;
using workflow::TaskRows;

}  // namespace

bool TurnRunner::Candidate::Before(const Candidate& other) const {
  return std::tuple(-std::int64_t{priority}, step.task, step.n) <
         std::tuple(-std::int64_t{other.priority}, other.step.task, other.step.n);
}

// Steps that this turn made ready: known here before the store's index has them.
std::vector<TurnRunner::Candidate> TurnRunner::MadeReady(
    const std::unordered_map<std::int64_t, std::size_t>& groups) {
  std::vector<Candidate> out;
  for (const StepKey& key : effects_.ready) {
    TaskEntry& entry = Enter(key.task);
    const TaskRows::Slot* slot = entry.rows.Find(key.n);
    if (slot == nullptr || slot->row.state != StepState::kEnqueued) continue;
    const auto group = groups.find(slot->row.handler);
    if (group == groups.end()) continue;
    if (!namespaces_.empty() &&
        std::ranges::find(namespaces_, entry.workflow->definition.namespace_name) ==
            namespaces_.end()) {
      continue;
    }
    out.push_back({.step = key,
                   .priority = slot->row.priority,
                   .handler = slot->row.handler,
                   .group = group->second,
                   .stored = false,
                   .suspect = slot->row.crashes > 0});
  }
  return out;
}

// Reads up to `limit` enqueued steps of each demanded handler into stored_. `cut`: a handler may
// have more.
Status TurnRunner::Gather(const TurnInput& in, std::int64_t limit,
                          std::vector<Candidate>& candidates, bool& cut) {
  cut = false;
  for (std::size_t group = 0; group < in.demand.size(); ++group) {
    if (in.demand[group].free <= 0) continue;
    for (const std::int64_t handler : in.demand[group].handlers) {
      if (empty_.contains(handler) || paused_.contains(handler)) continue;
      TRY(const std::vector<ReadyStep> ready,
          tx_.Ready({.handler = handler,
                     .limit = limit,
                     .only_without_crashes = suspect_.has_value(),
                     .namespaces = namespaces_}));
      for (const ReadyStep& step : ready) {
        candidates.push_back({.step = step.step,
                              .priority = step.priority,
                              .handler = handler,
                              .group = group,
                              .stored = true,
                              .suspect = false});
      }
      if (static_cast<std::int64_t>(ready.size()) == limit) {
        cut = true;
      } else if (ready.empty() && !suspect_) {
        empty_.insert(handler);
      }
    }
  }
  return Ok();
}

std::vector<TurnRunner::Candidate> TurnRunner::Choose(const TurnInput& in,
                                                      std::vector<Candidate> candidates) {
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) { return a.Before(b); });
  std::vector<std::int32_t> free;
  for (const Demand& demand : in.demand) free.push_back(demand.free);
  std::int32_t left = in.free_total;
  std::vector<Candidate> chosen;
  for (const Candidate& candidate : candidates) {
    if (left == 0) break;
    if (free[candidate.group] == 0) continue;
    --free[candidate.group];
    --left;
    chosen.push_back(candidate);
  }
  return chosen;
}

Status TurnRunner::LoadChosen(std::span<Candidate> chosen) {
  std::vector<TaskEntry*> entries;
  for (const Candidate& candidate : chosen) {
    if (!candidate.stored) continue;
    TaskEntry& entry = Enter(candidate.step.task);
    entry.steps.push_back(candidate.step.n);
    entries.push_back(&entry);
  }
  std::ranges::sort(entries);
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  TRY_OK(LoadTasks(entries));
  TRY_OK(LoadInputs(entries));
  std::vector<Wanted> wanted;
  for (const Candidate& candidate : chosen) {
    if (!candidate.stored) continue;
    TaskEntry& entry = Enter(candidate.step.task);
    if (entry.loaded && entry.rows.Find(candidate.step.n) == nullptr) {
      wanted.push_back(
          {.rows = &entry.rows, .task = false, .steps = std::span(&candidate.step.n, 1)});
    }
  }
  return wanted.empty() ? Ok() : tx_.Load(wanted);
}

void TurnRunner::Claim(const Candidate& candidate, const TurnInput& in, TurnOutput& out) {
  TaskEntry& entry = Enter(candidate.step.task);
  TaskRows::Slot* slot = entry.loaded ? entry.rows.Find(candidate.step.n) : nullptr;
  // The index says what was before this turn: the turn itself may have cancelled the step.
  if (slot == nullptr || slot->row.state != StepState::kEnqueued) return;
  const workflow::StepRow& row = slot->row;
  // A neighbour of a poison step is counted as its victim once; from then on it runs apart from it.
  if (row.crashes > 0 && suspect_) return;
  CHECK(claims_drawn_ < (std::int64_t{1} << workflow::kClaimWorkerShift) - 1);
  const ClaimId claim{(worker_ << workflow::kClaimWorkerShift) | ++claims_drawn_};
  if (row.crashes > 0) suspect_ = claim;
  workflow::Claim(entry.rows, candidate.step.n, claim, in.now);
  ++entry.claims;
  entry.steps.push_back(candidate.step.n);
  out.claimed.push_back({.step = candidate.step,
                         .claim = claim,
                         .task = entry.rows.task.uuid,
                         .workflow = entry.workflow,
                         .template_step = row.template_step,
                         .handler = row.handler,
                         .attempt = row.attempts + 1,
                         .crashes = row.crashes,
                         .priority = row.priority,
                         .ready = row.ready.value_or(in.now),
                         .claimed = in.now,
                         .created = entry.rows.task.created,
                         .texts = nullptr});
}

Status TurnRunner::ClaimAll(const TurnInput& in, TurnOutput& out) {
  std::unordered_map<std::int64_t, std::size_t> groups;
  std::int64_t wanted = 0;
  for (std::size_t i = 0; i < in.demand.size(); ++i) {
    if (in.demand[i].free <= 0) continue;
    wanted += in.demand[i].free;
    for (const std::int64_t handler : in.demand[i].handlers) {
      if (!paused_.contains(handler)) groups.emplace(handler, i);
    }
  }
  const std::int64_t limit = std::min<std::int64_t>(wanted, in.free_total);
  if (limit > 0 && !groups.empty()) {
    const std::vector<Candidate> made = MadeReady(groups);
    // In a steady flow most places go to steps that this turn made ready: then the head of the
    // index only has to show that it comes after them.
    std::int64_t fetch =
        std::clamp<std::int64_t>(limit - static_cast<std::int64_t>(made.size()) + 1, 1, limit);
    while (true) {
      std::vector<Candidate> candidates = made;
      bool cut = false;
      TRY_OK(Gather(in, fetch, candidates, cut));
      std::vector<Candidate> chosen = Choose(in, std::move(candidates));
      const auto stored =
          std::ranges::count_if(chosen, [](const Candidate& c) { return c.stored; });
      if (cut && stored >= fetch && fetch < limit) {
        fetch = limit;
        continue;
      }
      TRY_OK(LoadChosen(chosen));
      for (const Candidate& candidate : chosen) Claim(candidate, in, out);
      break;
    }
  }
  return Ok();
}

bool TurnRunner::MayHaveMore(const TurnInput& in) const {
  return std::ranges::any_of(in.demand, [this](const Demand& demand) {
    return std::ranges::any_of(demand.handlers, [this](std::int64_t handler) {
      return !empty_.contains(handler) && !paused_.contains(handler);
    });
  });
}

}  // namespace tasker::store
