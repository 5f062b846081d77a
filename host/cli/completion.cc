#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "cli/command.h"

namespace tasker::cli {
namespace {

// Each asks the program itself, so that no list of commands can become wrong; where the program has
// nothing to offer, the shell offers files.
constexpr std::string_view kBash = R"bash(# bash completion for tasker-host
_tasker_host() {
  local IFS=$'\n'
  COMPREPLY=($("${COMP_WORDS[0]}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1))
}
complete -o default -F _tasker_host tasker-host
)bash";

constexpr std::string_view kZsh = R"zsh(#compdef tasker-host
_tasker_host() {
  local -a offered
  offered=("${(@f)$("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null |
    sed -e 's/:/\\:/g' -e 's/\t/:/')}")
  if [[ -n "$offered" ]]; then _describe tasker-host offered; else _files; fi
}
if [[ "${funcstack[1]}" == _tasker_host ]]; then _tasker_host "$@"; else compdef _tasker_host tasker-host; fi
)zsh";

constexpr std::string_view kFish = R"fish(# fish completion for tasker-host
function __tasker_host_offered
  set -l words (commandline -opc)
  set -l offered ($words[1] __complete -- $words[2..-1] (commandline -ct) 2>/dev/null)
  if test (count $offered) -gt 0
    printf '%s\n' $offered
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c tasker-host -f -a '(__tasker_host_offered)'
)fish";

class Completion final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("SHELL", shell_, "bash, zsh or fish")->required();
  }

  Result<ExitCode> Run(Session& session) override {
    const std::map<std::string_view, std::string_view> scripts{
        {"bash", kBash}, {"zsh", kZsh}, {"fish", kFish}};
    const auto script = scripts.find(shell_);
    if (script == scripts.end())
      return NotFound("there is no completion for '" + shell_ + "'; there is for bash, zsh, fish");
    session.out.Write(script->second);
    return ExitCode::kOk;
  }

 private:
  std::string shell_;
};

}  // namespace

std::unique_ptr<Command> MakeCompletion() { return std::make_unique<Completion>(); }

}  // namespace tasker::cli
