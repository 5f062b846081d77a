#pragma once

#include <string>
#include <string_view>

#include <tasker/plugin.h>

namespace tasker::python {

inline std::string_view View(const tasker_str& text) { return {text.data, text.len}; }
inline std::string_view View(const tasker_bytes& bytes) {
  return {static_cast<const char*>(bytes.data), bytes.len};
}
inline tasker_str Str(std::string_view text) { return {text.data(), text.size()}; }
inline tasker_bytes Borrowed(std::string_view text) {
  return {text.data(), text.size(), nullptr, nullptr};
}

std::string ToString(const tasker_uuid& id);
bool IsUuid(std::string_view text);

// Appends the text as a JSON string, or null where it is empty.
void AppendString(std::string_view text, std::string& out);
void AppendStringOrNull(std::string_view text, std::string& out);

}  // namespace tasker::python
