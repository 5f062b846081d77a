// Exceptions that leave a plugin's functions, which plugin.hpp would have caught; compiled once for
// each ZOO_DEFECT.
#include <stdexcept>

#include <tasker/plugin.h>

#define ZOO_INIT_THROWS 1
#define ZOO_START_THROWS 2
#define ZOO_DRAIN_THROWS 3
#define ZOO_SHUTDOWN_THROWS 4

namespace {

const tasker_host* the_host;

void ThrowIf(bool defect) {
  if (defect) throw std::runtime_error("nobody catches this");
}

tasker_status Start(void*, const tasker_step*, tasker_call* call, tasker_error*) {
  ThrowIf(ZOO_DEFECT == ZOO_START_THROWS);
  tasker_success success{};
  success.size = sizeof success;
  the_host->complete(call, &success);
  the_host->release(call);
  return TASKER_OK;
}

tasker_status Init(const tasker_host* host, tasker_plugin* plugin, tasker_bytes, void**,
                   tasker_error* error) {
  ThrowIf(ZOO_DEFECT == ZOO_INIT_THROWS);
  the_host = host;
  static constexpr tasker_handler_ops kOps{sizeof kOps, 0, &Start, nullptr, nullptr};
  static constexpr char kId[] = ZOO_NAME ".works";
  tasker_handler handler{};
  handler.size = sizeof handler;
  handler.id = {kId, sizeof kId - 1};
  handler.ops = &kOps;
  return host->register_handler(plugin, &handler, error);
}

tasker_status Drain(void*, std::int64_t) {
  ThrowIf(ZOO_DEFECT == ZOO_DRAIN_THROWS);
  return TASKER_OK;
}

void Shutdown(void*) { ThrowIf(ZOO_DEFECT == ZOO_SHUTDOWN_THROWS); }

}  // namespace

extern "C" const tasker_plugin_entry* tasker_plugin_v1(void) {
  static const tasker_plugin_entry kEntry = {sizeof kEntry,
                                             TASKER_ABI_MINOR,
                                             0,
                                             0,
                                             {ZOO_NAME, sizeof ZOO_NAME - 1},
                                             {"1", 1},
                                             &Init,
                                             &Drain,
                                             &Shutdown,
                                             nullptr,
                                             nullptr};
  return &kEntry;
}
