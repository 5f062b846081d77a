#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <tasker/plugin.h>

#include "base/result.h"
#include "plugin/instance.h"
#include "workflow/outcome.h"

// What error_set fills; it lives on the stack of the host function that made the call.
struct tasker_error {
  tasker_status status = TASKER_OK;
  std::string message;
};

namespace tasker::plugin {

// What tasker_plugin_v1() returned, checked and copied: nothing here but the functions points into
// the plugin.
struct PluginEntry {
  std::string name, version;
  tasker_plugin_entry
      table{};  // zero where the plugin's is shorter; its name and version are empty
  const tasker_plugin_entry* identity = nullptr;
};

// `file` names the plugin in the errors, all of them for people: what is wrong and what to do.
Result<PluginEntry> ReadEntry(const tasker_plugin_entry* entry, const std::string& file);

// Copies as much of a struct as its writer filled and zeroes the rest.
template <typename T>
T CopyPrefix(const T& from) {
  T copy{};
  std::memcpy(&copy, &from, std::min<std::size_t>(from.size, sizeof(T)));
  return copy;
}

// Borrows everything from the input.
tasker_step ViewStep(const StepInput& input);

inline std::string_view View(tasker_str text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.len);
}
inline std::string_view View(const tasker_bytes& bytes) {
  return bytes.data == nullptr ? std::string_view()
                               : std::string_view(static_cast<const char*>(bytes.data), bytes.len);
}

// Releases moved bytes; idempotent.
void Consume(tasker_bytes* moved);
void Consume(tasker_success* moved);
void Consume(tasker_failure* moved);

// What the end of an attempt becomes. Each consumes what is moved on every path. Texts that break a
// limit or are no JSON make a permanent Failed that names handler and limit. Nothing: the struct is
// NULL or shorter than ABI 1.0's.
std::optional<workflow::Outcome> TakeSuccess(tasker_success* moved, const std::string& handler,
                                             const Limits& limits);
std::optional<workflow::Outcome> TakeFailure(tasker_failure* moved, const Limits& limits);
workflow::Outcome TakeYield(tasker_bytes* moved_or_null, std::int64_t resume_after_ns,
                            const std::string& handler, const Limits& limits);
// The checkpoint's text; kInvalid: it is too large or no JSON.
Result<std::string> TakeCheckpoint(tasker_bytes* moved, const std::string& handler,
                                   const Limits& limits);

// How plugins are told of an error.
tasker_status StatusOf(ErrorCode code);

// The name of a status, such as "E_STALE".
std::string StatusName(tasker_status status);

}  // namespace tasker::plugin
