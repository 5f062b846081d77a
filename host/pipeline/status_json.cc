#include "pipeline/status_json.h"

#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdint>
#include <utility>

#include "config/load.h"

namespace tasker::pipeline {
namespace {

namespace json = boost::json;

json::array Handlers(const plugin::HandlerRegistry& registry) {
  json::array handlers;
  for (const auto& entry : registry.List()) {
    handlers.push_back({{"callable", entry.info.id},
                        {"resolver", entry.info.resolver},
                        {"version", entry.info.version},
                        {"plugin", entry.instance->name()},
                        {"file", entry.instance->file()},
                        {"max_concurrency", entry.info.max_concurrency}});
  }
  return handlers;
}

json::array Running(const HostStatus& status) {
  json::array running;
  const Steady now = std::chrono::steady_clock::now();
  for (const plugin::Instance::Running& call : status.running) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - call.since).count();
    running.push_back({{"handler", call.handler},
                       {"step", call.step_name},
                       {"note", call.note},
                       {"progress", call.progress < 0 ? json::value() : json::value(call.progress)},
                       {"running_ms", ms}});
  }
  return running;
}

json::array Texts(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

}  // namespace

std::string StatusJson(const HostStatus& status, const config::Config& config,
                       const plugin::HandlerRegistry& registry, std::size_t templates) {
  json::error_code error;
  json::value shown = json::parse(config::Show(config, true), error);
  json::object out{{"worker", status.worker},
                   {"worker_name", config.worker.id},
                   {"namespaces", Texts(config.worker.namespaces)},
                   {"pid", std::int64_t{::getpid()}},
                   {"store_path", config.store.path},
                   {"durability", status.durability},
                   {"config_file", config.file},
                   {"ready", status.ready},
                   {"not_ready", status.not_ready},
                   {"running", Running(status)},
                   {"handlers", Handlers(registry)},
                   {"missing_handlers", Texts(status.missing_handlers)},
                   {"templates", templates},
                   {"last_error", status.last_error},
                   {"config", std::move(shown)}};
  store::VisitCounts(status, [&](const char* name, auto count) { out[name] = count; });
  return json::serialize(out);
}

}  // namespace tasker::pipeline
