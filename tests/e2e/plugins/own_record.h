#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>

// What handlers of the tests do in the folder that the test made, TASKER_E2E_FOLDER. An exception
// refuses the plugin or fails the attempt.
namespace tasker::testing {

inline std::string FolderOfTest() {
  const char* const folder = std::getenv("TASKER_E2E_FOLDER");
  if (folder == nullptr)
    throw std::runtime_error("TASKER_E2E_FOLDER is not set; this plugin belongs to a test");
  return folder;
}

// The file `record`: what the handlers say that they did. Thread-safe.
class OwnRecord final {
 public:
  OwnRecord() : fd_(::open(Path().c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), Path());
  }
  ~OwnRecord() { ::close(fd_); }
  OwnRecord(const OwnRecord&) = delete;
  OwnRecord& operator=(const OwnRecord&) = delete;

  // One write, so that lines never mix and a killed process leaves none of it or all.
  void Append(std::string line) {
    line += '\n';
    if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
      throw std::system_error(errno, std::generic_category(), Path());
    }
  }

 private:
  static std::string Path() { return FolderOfTest() + "/record"; }

  const int fd_;
};

// Returns once the test has opened the gate, a FIFO: opening one waits for its other end.
inline void WaitAtGate() {
  const std::string path = FolderOfTest() + "/gate";
  int fd = -1;
  do {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), path);
  ::close(fd);
}

}  // namespace tasker::testing
