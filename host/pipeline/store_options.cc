#include "pipeline/store_options.h"

#include <chrono>
#include <cstdint>

namespace tasker::pipeline {
namespace {

constexpr std::chrono::seconds kClientWaitMax{5};

}  // namespace

store::OpenOptions OpenOptionsOf(const config::Store& store) {
  store::OpenOptions options;
  options.path = store.path;
  options.full_sync = store.synchronous == config::Synchronous::kFull;
  options.group = store.group;
  options.allow_network_fs = store.allow_network_fs;
  options.crash_max = static_cast<std::int32_t>(store.crash_max);
  return options;
}

store::OpenOptions ClientOptionsOf(const config::Store& store) {
  store::OpenOptions options = OpenOptionsOf(store);
  options.wait_max = kClientWaitMax;
  return options;
}

}  // namespace tasker::pipeline
