#pragma once

#include <csignal>
#include <initializer_list>
#include <memory>

#include "base/result.h"
#include "base/unique_fd.h"

namespace tasker::cli {

// SIGINT, SIGTERM and those of `also` as something to poll. While it exists they do nothing else in
// this thread and in threads started since.
class Signals final {
 public:
  static Result<std::unique_ptr<Signals>> Open(std::initializer_list<int> also = {});
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int fd() const { return fd_.get(); }  // readable: one has come
  // The one that has come; 0: none. Never blocks.
  int Take();

 private:
  Signals() = default;

  sigset_t before_{};
  UniqueFd fd_;
};

// Of SIGINT or SIGTERM, for people.
const char* NameOf(int signal);

}  // namespace tasker::cli
