#include "cli/who.h"

#include <pwd.h>
#include <unistd.h>

#include <cstddef>
#include <string_view>
#include <vector>

namespace tasker::cli {
namespace {

constexpr std::size_t kTextMaxBytes = 1024;

// "uid 1000" for a user that the system's user database does not know, as in a container.
std::string LoginName() {
  const uid_t user = ::getuid();
  std::vector<char> room(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, room.data(), room.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return "uid " + std::to_string(user);
}

Status CheckLength(std::string_view option, const std::string& text) {
  if (text.size() <= kTextMaxBytes) return Ok();
  return Invalid(std::string(option) + " has " + std::to_string(text.size()) + " bytes; at most " +
                 std::to_string(kTextMaxBytes) + " are kept");
}

}  // namespace

void AddWhoOptions(CLI::App& app, Who& who) {
  app.add_option("--actor", who.actor, "Who does this; default: your login name")
      ->option_text("NAME");
  app.add_option("--reason", who.reason, "Why, for those who look at it later")
      ->option_text("TEXT");
}

Status CompleteWho(Who& who) {
  if (who.actor.empty()) who.actor = LoginName();
  TRY_OK(CheckLength("--actor", who.actor));
  return CheckLength("--reason", who.reason);
}

}  // namespace tasker::cli
