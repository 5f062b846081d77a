#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "plugin/instance.h"

namespace tasker::plugin {

// The one registry of this host: which live instance runs which handler id. Every plugin registers
// into it. Thread-safe. Borrows the instances, which are removed before they are destroyed.
class HandlerRegistry final {
 public:
  struct Entry {
    HandlerInfo info;
    Instance* instance = nullptr;
  };

  // All or nothing. A duplicate id is refused with an error that names both files and changes
  // nothing.
  Status Add(Instance& instance, const std::vector<HandlerInfo>& handlers);
  // What Add would say now.
  Status Check(const Instance& instance, const std::vector<HandlerInfo>& handlers) const;
  Status Remove(Instance& instance, std::string_view key);  // HandlerInfo::Key(), as below
  void RemoveAll(Instance& instance);

  // Asks every instance whether it can run a handler that steps wait for.
  void Want(const std::string& id, const std::string& method, const std::string& resolver) const;

  std::optional<Entry> Find(std::string_view key) const;
  std::vector<Entry> List() const;  // sorted by key
  // Grows with each change: a cheap test for "is my copy current?".
  std::uint64_t version() const;

 private:
  Status CheckLocked(const Instance& instance, const std::vector<HandlerInfo>& handlers) const
      REQUIRES(mu_);

  mutable Mutex mu_;
  std::map<std::string, Entry, std::less<>> entries_ GUARDED_BY(mu_);
  std::set<Instance*> instances_ GUARDED_BY(mu_);
  std::uint64_t version_ GUARDED_BY(mu_) = 0;
};

}  // namespace tasker::plugin
