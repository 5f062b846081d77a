#include "cli/session.h"

namespace tasker::cli {

std::string Session::CommandLine(std::string_view command) const {
  std::string line = "tasker-host ";
  if (!config_path.empty()) line.append("--config ").append(config_path).append(" ");
  return line.append(command);
}

void Session::Note(std::string_view text) const {
  err.Write("note: " + Printable(err.style(), text) + "\n");
}

}  // namespace tasker::cli
