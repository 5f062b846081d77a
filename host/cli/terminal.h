#pragma once

#include <string_view>

#include "cli/style.h"
#include "config/load.h"

namespace tasker::cli {

// One of the two streams that people and scripts read. Borrows the descriptor. One thread.
class Terminal final {
 public:
  // Colours: on a terminal, unless NO_COLOR is set or TERM says that it is dumb. UTF-8: if the
  // locale says so.
  Terminal(int fd, const config::Environment& env);
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool interactive() const { return interactive_; }
  // As wide as the terminal is now; without a limit where it is none.
  Style style() const;
  // Rows; 0: unknown.
  int height() const;

  // Unbuffered. After a failure nothing more is written, and failure() is its errno.
  void Write(std::string_view text);
  int failure() const { return failure_; }

 private:
  const int fd_;
  const bool interactive_;
  Style style_;
  int failure_ = 0;
};

// Whether this environment's locale is a UTF-8 one.
bool IsUtf8(const config::Environment& env);

}  // namespace tasker::cli
