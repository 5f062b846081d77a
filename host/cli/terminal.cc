#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <string>

namespace tasker::cli {
namespace {

std::string_view Lookup(const config::Environment& env, std::string_view name) {
  const auto found = env.find(name);
  return found == env.end() ? std::string_view() : std::string_view(found->second);
}

winsize SizeOf(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0) return {};
  return size;
}

}  // namespace

bool IsUtf8(const config::Environment& env) {
  std::string locale;
  for (const std::string_view name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    locale = Lookup(env, name);
    if (!locale.empty()) break;
  }
  std::ranges::transform(locale, locale.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
}

Terminal::Terminal(int fd, const config::Environment& env)
    : fd_(fd), interactive_(::isatty(fd) == 1 && Lookup(env, "TERM") != "dumb") {
  style_.utf8 = IsUtf8(env);
  style_.colour = interactive_ && Lookup(env, "NO_COLOR").empty();
}

Style Terminal::style() const {
  Style style = style_;
  if (interactive_) style.width = SizeOf(fd_).ws_col;
  return style;
}

int Terminal::height() const { return interactive_ ? SizeOf(fd_).ws_row : 0; }

void Terminal::Write(std::string_view text) {
  while (!text.empty() && failure_ == 0) {
    const ssize_t written = ::write(fd_, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      failure_ = errno;
    }
  }
}

}  // namespace tasker::cli
