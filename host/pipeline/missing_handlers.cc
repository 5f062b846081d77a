#include "pipeline/missing_handlers.h"

#include <chrono>
#include <utility>

#include "log/log.h"

namespace tasker::pipeline {
namespace {

constexpr std::chrono::minutes kRepeat{1};

}  // namespace

Status MissingHandlers::Look(store::Reader& reader, std::span<const std::int64_t> alive,
                             Steady now) {
  TRY(const auto missing, reader.Missing(alive));
  std::map<std::string, Steady> logged;
  names_.clear();
  for (const store::MissingHandler& handler : missing) {
    registry_.Want(handler.callable, "", handler.resolver);
    std::string name = handler.callable;
    if (!handler.resolver.empty()) name += " (resolver " + handler.resolver + ")";
    const auto before = logged_.find(name);
    Steady last = before == logged_.end() ? Steady{} : before->second;
    if (before == logged_.end() || now - last >= kRepeat) {
      last = now;
      log::Warning("pipeline",
                   "no live worker has handler '" + name +
                       "': steps wait for it; put its plugin into a plugin folder",
                   {{"handler", name}, {"steps", handler.steps}});
    }
    logged.emplace(name, last);
    names_.push_back(std::move(name));
  }
  logged_ = std::move(logged);
  return Ok();
}

}  // namespace tasker::pipeline
