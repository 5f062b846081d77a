#include "cli/context_argument.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"

namespace tasker::cli {
namespace {

Result<std::string> ReadAll(int fd, const std::string& source, std::int64_t bytes_max) {
  std::string text;
  std::array<char, 65536> part{};
  while (true) {
    const ssize_t got = ::read(fd, part.data(), part.size());
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Invalid("read the context from " + source + ": " + std::strerror(errno));
    text.append(part.data(), static_cast<std::size_t>(got));
    if (static_cast<std::int64_t>(text.size()) > bytes_max) {
      return Invalid("the context from " + source + " is larger than limits.context_max_bytes, " +
                     std::to_string(bytes_max) +
                     " bytes; pass a reference to the data instead, or raise the limit");
    }
  }
}

}  // namespace

Result<std::string> ReadContext(const std::string& argument, std::int64_t bytes_max) {
  if (argument == "-") return ReadAll(STDIN_FILENO, "standard input", bytes_max);
  if (!argument.starts_with('@')) return argument;
  const std::string file = argument.substr(1);
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    const std::string message = "read the context from " + file + ": " + std::strerror(errno);
    return errno == ENOENT ? NotFound(message) : Invalid(message);
  }
  return ReadAll(fd.get(), file, bytes_max);
}

}  // namespace tasker::cli
