#include "cli/context_argument.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"

namespace tasker::cli {
namespace {

// What is read, and how much of it is taken.
struct Wanted {
  std::string_view noun, limit;
  std::int64_t bytes_max = 0;

  Status Check(const std::string& text) const {
    if (static_cast<std::int64_t>(text.size()) <= bytes_max) return Ok();
    return Invalid("the " + std::string(noun) + " is larger than " + std::string(limit) + ", " +
                   std::to_string(bytes_max) +
                   " bytes; pass a reference to the data instead, or raise the limit");
  }
};

Result<std::string> ReadAll(int fd, const std::string& source, const Wanted& wanted) {
  std::string text;
  std::array<char, 65536> part{};
  while (true) {
    const ssize_t got = ::read(fd, part.data(), part.size());
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return Invalid("read the " + std::string(wanted.noun) + " from " + source + ": " +
                     std::strerror(errno));
    }
    text.append(part.data(), static_cast<std::size_t>(got));
    TRY_OK(wanted.Check(text));
  }
}

}  // namespace

Result<std::string> ReadJsonArgument(std::string_view noun, const std::string& argument,
                                     std::string_view limit, std::int64_t bytes_max) {
  const Wanted wanted{noun, limit, bytes_max};
  if (argument == "-") return ReadAll(STDIN_FILENO, "standard input", wanted);
  if (!argument.starts_with('@')) {
    TRY_OK(wanted.Check(argument));
    return argument;
  }
  const std::string file = argument.substr(1);
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    const std::string message =
        "read the " + std::string(noun) + " from " + file + ": " + std::strerror(errno);
    return errno == ENOENT ? NotFound(message) : Invalid(message);
  }
  return ReadAll(fd.get(), file, wanted);
}

Result<std::string> ReadContext(const std::string& argument, std::int64_t bytes_max) {
  return ReadJsonArgument("context", argument, "limits.context_max_bytes", bytes_max);
}

}  // namespace tasker::cli
