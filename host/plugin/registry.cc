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
  std::set<std::string> keys;
  for (const HandlerInfo& info : handlers) {
    const auto taken = entries_.find(info.Key());
    if (taken != entries_.end()) {
      return Conflict("handler '" + info.id + "' of " + Name(instance) +
                      " is already registered by " + Name(*taken->second.instance));
    }
    if (!keys.insert(info.Key()).second) {
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
  for (const HandlerInfo& info : handlers) entries_.emplace(info.Key(), Entry{info, &instance});
  instances_.insert(&instance);
  if (!handlers.empty()) ++version_;
  return Ok();
}

Status HandlerRegistry::Remove(Instance& instance, std::string_view key) {
  MutexLock lock(mu_);
  const auto entry = entries_.find(key);
  if (entry == entries_.end() || entry->second.instance != &instance) {
    return NotFound("handler '" + std::string(key) + "' is not registered by " + Name(instance));
  }
  entries_.erase(entry);
  ++version_;
  return Ok();
}

void HandlerRegistry::RemoveAll(Instance& instance) {
  MutexLock lock(mu_);
  const auto removed = std::erase_if(
      entries_, [&](const auto& entry) { return entry.second.instance == &instance; });
  instances_.erase(&instance);
  if (removed > 0) ++version_;
}

// Under the lock, so that no instance goes meanwhile: it only posts to its control thread.
void HandlerRegistry::Want(const std::string& id, const std::string& method,
                           const std::string& resolver) const {
  MutexLock lock(mu_);
  if (entries_.contains(HandlerKey(id, resolver))) return;
  for (Instance* const instance : instances_) instance->Want(id, method, resolver);
}

std::optional<HandlerRegistry::Entry> HandlerRegistry::Find(std::string_view key) const {
  MutexLock lock(mu_);
  const auto entry = entries_.find(key);
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
