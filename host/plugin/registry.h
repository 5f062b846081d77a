#pragma once

#include <cstdint>
#include <map>
#include <optional>
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
  Status Remove(Instance& instance, std::string_view id);
  void RemoveAll(Instance& instance);

  std::optional<Entry> Find(std::string_view id) const;
  std::vector<Entry> List() const;  // sorted by id
  // Grows with each change: a cheap test for "is my copy current?".
  std::uint64_t version() const;

 private:
  Status CheckLocked(const Instance& instance, const std::vector<HandlerInfo>& handlers) const
      REQUIRES(mu_);

  mutable Mutex mu_;
  std::map<std::string, Entry, std::less<>> entries_ GUARDED_BY(mu_);
  std::uint64_t version_ GUARDED_BY(mu_) = 0;
};

}  // namespace tasker::plugin
