#pragma once

namespace tasker {

// Prints the place and the condition to stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

}  // namespace tasker

// A bug if false. On in release builds; never on input, plugin data or rows.
#define CHECK(condition)                             \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::tasker::CheckFailed(__FILE__, __LINE__, #condition))
