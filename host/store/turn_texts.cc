// What tasks' texts are worth remembering: a step that is claimed right after its parents ended
// finds in memory what it would otherwise be given by half a dozen reads.
#include <algorithm>
#include <memory>
#include <utility>

#include "store/turn.h"

namespace tasker::store {
namespace {

using workflow::PayloadKind;
using workflow::TaskRows;

HydratedDependency* ResultOf(TaskTexts& texts, std::int32_t n) {
  const auto at =
      std::ranges::lower_bound(texts.results, n, {}, [](const auto& result) { return result->n; });
  const bool there = at != texts.results.end() && (*at)->n == n;
  // What attempts may be reading is not changed: the new one takes its place.
  auto made =
      there ? std::make_shared<HydratedDependency>(**at) : std::make_shared<HydratedDependency>();
  made->n = n;
  HydratedDependency* const result = made.get();
  if (there) {
    *at = std::move(made);
  } else {
    texts.results.insert(at, std::move(made));
  }
  return result;
}

}  // namespace

void TurnRunner::KeepTexts(TurnOutput& out) {
  for (TaskEntry* entry : entries_) {
    if (entry->submit == nullptr || !entry->rows.fresh || !entry->small()) continue;
    auto texts = std::make_shared<TaskTexts>();
    texts->context = std::make_shared<const std::string>(entry->submit->context);
    texts->bytes = entry->submit->context.size();
    cache_.Keep(*entry, std::move(texts));
  }
  if (!cache_.has_texts()) return;
  for (const workflow::PayloadWrite& payload : effects_.payloads) KeepPayload(payload);
  for (Claimed& claimed : out.claimed) {
    if (const TaskEntry* entry = cache_.Find(claimed.step.task)) claimed.texts = entry->texts;
  }
}

void TurnRunner::KeepPayload(const workflow::PayloadWrite& payload) {
  TaskEntry* const entry = cache_.Find(payload.step.task);
  if (entry == nullptr || entry->texts == nullptr) return;
  const TaskRows::Slot* const slot = entry->rows.Find(payload.step.n);
  const bool result = payload.kind == PayloadKind::kResult;
  if (slot == nullptr || (!result && payload.kind != PayloadKind::kMetadata)) {
    // A checkpoint belongs to one step alone and is read seldom.
    cache_.Keep(*entry, nullptr);
    return;
  }
  auto texts = std::make_shared<TaskTexts>(*entry->texts);
  HydratedDependency* const kept = ResultOf(*texts, payload.step.n);
  (result ? kept->result : kept->metadata) = payload.body;
  if (slot->row.ended) kept->ended = *slot->row.ended;
  texts->bytes += payload.body.size();
  cache_.Keep(*entry, std::move(texts));
}

}  // namespace tasker::store
