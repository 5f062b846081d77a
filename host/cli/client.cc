#include "cli/client.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "pipeline/store_options.h"

namespace tasker::cli {
namespace {

constexpr std::size_t kNamedStepsMax = 20;  // in an error

}  // namespace

Result<Client> OpenClient(const config::Config& config, Missing missing) {
  store::OpenOptions options = pipeline::ClientOptionsOf(config.store);
  options.create = missing == Missing::kCreate;
  Client client;
  TRY(client.store, store::Store::Open(options));
  TRY(client.reader, client.store->NewReader());
  return client;
}

Result<Uuid> FindTask(const std::string& uuid_or_prefix, store::Reader& reader) {
  auto task = reader.FindTask(uuid_or_prefix);
  // Whoever typed too few characters has to type more; the store is well.
  if (!task && task.error().code == ErrorCode::kConflict) return Invalid(task.error().message);
  return task;
}

Time WallNow() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

Result<store::Ack> SendEvent(store::Event event, std::string_view noun, store::Store& store) {
  store::TurnInput turn;
  turn.now = WallNow();
  turn.events.push_back(std::move(event));
  auto sent = store.Commit(turn);
  if (!sent && sent.error().code == ErrorCode::kUnknown) sent = store.Commit(turn);
  if (!sent) return Prefixed(noun, sent.error());
  if (sent->acks.size() != 1) return Internal(std::string(noun) + ": the store did not answer");
  return std::move(sent->acks.front());
}

Result<std::int32_t> FindStep(const store::TaskView& view, std::string_view name) {
  const auto step = std::ranges::find(view.steps, name, &store::StepView::name);
  if (step != view.steps.end()) return step->row.n;
  std::string names;
  for (std::size_t i = 0; i < std::min(view.steps.size(), kNamedStepsMax); ++i) {
    names.append(i == 0 ? "" : ", ").append(view.steps[i].name);
  }
  return NotFound("task " + view.summary.uuid.ToString() + " has no step '" + std::string(name) +
                  "'; its steps are " + names +
                  (view.steps.size() > kNamedStepsMax ? ", ..." : ""));
}

Result<std::vector<std::int64_t>> LiveWorkers(store::Store& store) {
  TRY(const std::vector<store::OpenWorker> workers, store.Workers());
  std::vector<std::int64_t> alive;
  for (const store::OpenWorker& worker : workers) {
    if (worker.alive) alive.push_back(worker.id);
  }
  return alive;
}

}  // namespace tasker::cli
