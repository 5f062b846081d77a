#include "cli/client.h"

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

namespace tasker::cli {

Result<Client> OpenClient(const config::Config& config, Missing missing) {
  const config::Store& from = config.store;
  store::OpenOptions options;
  options.path = from.path;
  options.create = missing == Missing::kCreate;
  options.full_sync = from.synchronous == config::Synchronous::kFull;
  options.group = from.group;
  options.allow_network_fs = from.allow_network_fs;
  options.crash_max = static_cast<std::int32_t>(from.crash_max);
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

Result<std::vector<std::int64_t>> LiveWorkers(store::Store& store) {
  TRY(const std::vector<store::OpenWorker> workers, store.Workers());
  std::vector<std::int64_t> alive;
  for (const store::OpenWorker& worker : workers) {
    if (worker.alive) alive.push_back(worker.id);
  }
  return alive;
}

}  // namespace tasker::cli
