// SPDX-License-Identifier: MIT
//
// What the fake host asks of a plugin's table and handlers, in the host's words;
// <tasker/testing.hpp> includes it.
#ifndef TASKER_TESTING_REGISTRATION_HPP
#define TASKER_TESTING_REGISTRATION_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tasker/testing/record.hpp"

namespace tasker::testing {
inline namespace abi1 {
namespace detail {

inline constexpr std::uint32_t kEntrySize10 = 88, kHandlerSize10 = 104, kOpsSize10 = 32;
inline constexpr std::size_t kIdMaxBytes = 500, kPoolsMax = 1024;

inline bool is_plugin_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  });
}

// Why the table is refused; empty: it is not.
inline std::string entry_defect(const tasker_plugin_entry* entry) {
  if (entry == nullptr) return "tasker_plugin_v1() returned NULL; it must return its table";
  if (entry->size < kEntrySize10) {
    return "its table says size " + std::to_string(entry->size) + ", ABI 1.0 has " +
           std::to_string(kEntrySize10) + "; set size = sizeof(tasker_plugin_entry)";
  }
  if (entry->min_host_minor > TASKER_ABI_MINOR) {
    return "it needs a host with plugin ABI 1." + std::to_string(entry->min_host_minor) +
           ", this host has 1." + std::to_string(TASKER_ABI_MINOR) +
           "; install a newer tasker-host";
  }
  if (!is_plugin_name(view(entry->name))) {
    return "its name '" + clean(view(entry->name), 128) +
           "' is not legal; use 1 to 128 of a-z, 0-9, '_', '.' and '-'";
  }
  if (entry->init == nullptr) return "its table has no init; every plugin needs one";
  return "";
}

inline bool is_handler_id(std::string_view id) {
  if (id.empty() || id.size() > kIdMaxBytes || id.front() == ' ' || id.back() == ' ') return false;
  const bool control = std::any_of(id.begin(), id.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  return !control && clean(id, kIdMaxBytes) == id;
}

// Why the handler is refused; empty: it is not.
inline std::string handler_defect(const tasker_handler* handler) {
  const std::string ids =
      "use 1 to 500 bytes of UTF-8 without control characters or surrounding spaces";
  if (handler == nullptr) return "register_handler got NULL for the handler";
  if (handler->size < kHandlerSize10) {
    return "a handler says size " + std::to_string(handler->size) + ", ABI 1.0 has " +
           std::to_string(kHandlerSize10) + "; set size = sizeof(tasker_handler)";
  }
  if (!is_handler_id(view(handler->id))) {
    return "'" + clean(view(handler->id), kIdMaxBytes) + "' is no handler id; " + ids;
  }
  const std::string prefix = "handler '" + std::string(view(handler->id)) + "' ";
  if (TASKER_HAS(handler, tasker_handler, resolver) && handler->resolver.len > 0 &&
      !is_handler_id(view(handler->resolver))) {
    return prefix + "names a resolver that is no id; " + ids;
  }
  if (handler->ops == nullptr || handler->ops->size < kOpsSize10) {
    return prefix + "has no ops of ABI 1.0; set ops and ops->size = sizeof(tasker_handler_ops)";
  }
  if (handler->ops->start == nullptr) return prefix + "has no start; every handler needs one";
  if (handler->threads > TASKER_THREADS_RUNTIME) {
    return prefix + "asks for threads = " + std::to_string(handler->threads) +
           ", which this host does not know; use TASKER_THREADS_...";
  }
  return "";
}

inline tasker_status refuse(tasker_error* error, tasker_status status, std::string message) {
  if (error != nullptr) *Error::of(error) = {status, std::move(message)};
  return status;
}

inline tasker_status add_handler(Record& record, const tasker_handler* given, tasker_error* error) {
  if (std::string defect = handler_defect(given); !defect.empty()) {
    return refuse(error, TASKER_E_INVALID, std::move(defect));
  }
  auto handler = std::make_unique<Handler>();
  handler->id = view(given->id);
  if (TASKER_HAS(given, tasker_handler, resolver)) handler->resolver = view(given->resolver);
  handler->threads = given->threads;
  handler->pool = given->pool;
  handler->ops = prefix_of(*given->ops);
  handler->self = given->self;
  const std::lock_guard<std::mutex> lock(record.mutex);
  if (record.phase == Record::Phase::ending) {
    return refuse(
        error, TASKER_E_WRONG_STATE,
        "handler '" + handler->id + "' cannot be registered: plugin " + record.name + " is ending");
  }
  if (handler->threads == TASKER_THREADS_RUNTIME && record.capacity.count(handler->pool) == 0) {
    if (record.capacity.size() == kPoolsMax) {
      return refuse(error, TASKER_E_INVALID,
                    "handler '" + handler->id + "' names pool " + std::to_string(handler->pool) +
                        ", one more than the " + std::to_string(kPoolsMax) +
                        " that a plugin may have");
    }
    record.capacity[handler->pool] = 0;
  }
  if (!record.by_key.emplace(handler_key(handler->id, handler->resolver), handler.get()).second) {
    return refuse(error, TASKER_E_EXISTS,
                  "handler '" + handler->id + "' is registered twice by plugin " + record.name +
                      " (" + record.file + ")");
  }
  record.handlers.push_back(std::move(handler));
  return TASKER_OK;
}

inline tasker_status remove_handler(Record& record, std::string_view id, tasker_error* error) {
  const std::lock_guard<std::mutex> lock(record.mutex);
  if (record.phase == Record::Phase::ending) {
    return refuse(error, TASKER_E_WRONG_STATE, "plugin " + record.name + " is ending");
  }
  bool known = false;
  for (auto it = record.by_key.begin(); it != record.by_key.end();) {
    const bool same = it->second->id == id;
    known = known || same;
    it = same ? record.by_key.erase(it) : std::next(it);
  }
  if (known) return TASKER_OK;
  return refuse(error, TASKER_E_INVALID,
                "plugin " + record.name + " has no handler '" + clean(id, kErrorMaxBytes) + "'");
}

}  // namespace detail
}  // namespace abi1
}  // namespace tasker::testing

#endif
