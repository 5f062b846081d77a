// What tasks' texts are worth remembering: a step that is claimed right after its parents ended
// finds in memory what it would otherwise be given by half a dozen reads.
#include <algorithm>
#include <memory>
#include <utility>

#include "store/turn.h"

namespace tasker::store {
namespace {

using workflow::PayloadKind;
using workflow::StepState;
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

// No step has been claimed or resolved by hand, so that the context is all the text there is.
bool IsUntouched(TaskRows& rows) {
  return std::ranges::all_of(rows.slots(), [](const TaskRows::Slot& slot) {
    const StepState state = slot.row.state;
    return !slot.row.claimed && (state == StepState::kPending || state == StepState::kEnqueued);
  });
}

}  // namespace

// Read here, by the way, it spares its readers a transaction for each step.
Status TurnRunner::LoadInputs(std::span<TaskEntry* const> entries) {
  constexpr std::int64_t kCharactersMax = 4096;
  constexpr int kUnasked = 64;  // large ones come in series, and measuring one reads it
  for (TaskEntry* entry : entries) {
    if (!entry->loaded || entry->submit != nullptr || entry->texts != nullptr || !entry->small() ||
        !IsUntouched(entry->rows)) {
      continue;
    }
    if (inputs_unasked_ > 0) {
      --inputs_unasked_;
      continue;
    }
    TRY(entry->input, tx_.SmallInput(entry->rows.task.id, kCharactersMax));
    if (!entry->input) inputs_unasked_ = kUnasked;
  }
  return Ok();
}

void TurnRunner::KeepTexts(TurnOutput& out) {
  for (TaskEntry* entry : entries_) {
    const bool fresh = entry->submit != nullptr && entry->rows.fresh && entry->small();
    if (!fresh && !entry->input) continue;
    auto texts = std::make_shared<TaskTexts>();
    texts->input = std::make_shared<const TaskInput>(
        fresh ? TaskInput{entry->submit->context, entry->submit->envelope}
              : *std::move(entry->input));
    texts->bytes = texts->input->bytes();
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
  if (workflow::IsSettled(entry->rows.task.state)) return cache_.Keep(*entry, nullptr);
  const TaskRows::Slot* const slot = entry->rows.Find(payload.step.n);
  const bool result = payload.kind == PayloadKind::kResult;
  if (slot == nullptr || (!result && payload.kind != PayloadKind::kMetadata)) {
    // A checkpoint belongs to one step alone and is read seldom.
    cache_.Keep(*entry, nullptr);
    return;
  }
  const TaskTexts& before = *entry->texts;
  auto texts = std::make_shared<TaskTexts>();
  texts->input = before.input;
  texts->results.reserve(before.results.size() + 1);
  texts->results.assign(before.results.begin(), before.results.end());
  texts->bytes = before.bytes + payload.body.size();
  HydratedDependency* const kept = ResultOf(*texts, payload.step.n);
  (result ? kept->result : kept->metadata) = payload.body;
  if (slot->row.ended) kept->ended = *slot->row.ended;
  cache_.Keep(*entry, std::move(texts));
}

}  // namespace tasker::store
