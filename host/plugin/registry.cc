#include "plugin/registry.h"

#include <set>

namespace tasker::plugin {
namespace {

std::string Name(const Instance& instance) {
  return "plugin " + instance.name() + " (" + instance.file() + ")";
}

}  // namespace

Status HandlerRegistry::CheckLocked(const Instance& instance,
                                    const std::vector<HandlerInfo>& handlers) const {
  std::set<std::string_view> ids;
  for (const HandlerInfo& info : handlers) {
    const auto taken = entries_.find(info.id);
    if (taken != entries_.end()) {
      return Conflict("handler '" + info.id + "' of " + Name(instance) +
                      " is already registered by " + Name(*taken->second.instance));
    }
    if (!ids.insert(info.id).second) {
      return Conflict("handler '" + info.id + "' is registered twice by " + Name(instance));
    }
  }
  return Ok();
}

Status HandlerRegistry::Check(const Instance& instance,
                              const std::vector<HandlerInfo>& handlers) const {
  MutexLock lock(mu_);
  return CheckLocked(instance, handlers);
}

Status HandlerRegistry::Add(Instance& instance, const std::vector<HandlerInfo>& handlers) {
  MutexLock lock(mu_);
  TRY_OK(CheckLocked(instance, handlers));
  for (const HandlerInfo& info : handlers) entries_.emplace(info.id, Entry{info, &instance});
  if (!handlers.empty()) ++version_;
  return Ok();
}

Status HandlerRegistry::Remove(Instance& instance, std::string_view id) {
  MutexLock lock(mu_);
  const auto entry = entries_.find(id);
  if (entry == entries_.end() || entry->second.instance != &instance) {
    return NotFound("handler '" + std::string(id) + "' is not registered by " + Name(instance));
  }
  entries_.erase(entry);
  ++version_;
  return Ok();
}

void HandlerRegistry::RemoveAll(Instance& instance) {
  MutexLock lock(mu_);
  const auto removed = std::erase_if(
      entries_, [&](const auto& entry) { return entry.second.instance == &instance; });
  if (removed > 0) ++version_;
}

std::optional<HandlerRegistry::Entry> HandlerRegistry::Find(std::string_view id) const {
  MutexLock lock(mu_);
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return std::nullopt;
  return entry->second;
}

std::vector<HandlerRegistry::Entry> HandlerRegistry::List() const {
  MutexLock lock(mu_);
  std::vector<Entry> list;
  list.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) list.push_back(entry);
  return list;
}

std::uint64_t HandlerRegistry::version() const {
  MutexLock lock(mu_);
  return version_;
}

}  // namespace tasker::plugin
