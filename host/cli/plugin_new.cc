#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "cli/command.h"
#include "cli/new_plugin_files.h"

namespace tasker::cli {
namespace {

// Shorter than the 128 bytes of the ABI: CMake makes NAME_test and files of longer names from it.
constexpr std::size_t kNameMaxBytes = 100;

// What CMake calls its own targets.
constexpr std::array kTaken = {"all",
                               "help",
                               "install",
                               "preinstall",
                               "clean",
                               "edit_cache",
                               "test",
                               "rebuild_cache",
                               "package",
                               "package_source",
                               "depend",
                               "tasker",
                               "list_install_components"};

class PluginNew final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("NAME", name_, "The plugin's name, and that of its folder, which is made here")
        ->required();
    app.add_option("--lang", language_, "The plugin's language: cpp or c; default: cpp")
        ->check(CLI::IsMember({"cpp", "c"}));
  }

  Result<ExitCode> Run(Session& session) override {
    TRY_OK(CheckName());
    std::error_code error;
    if (!std::filesystem::create_directory(name_, error)) {
      if (!error) {
        return Unavailable("new plugin " + name_ + ": " + name_ +
                           " exists already in this folder; remove it or choose another name");
      }
      return Unavailable("new plugin " + name_ + ": its folder cannot be made: " + error.message());
    }
    for (std::size_t i = 0; i < kNewPluginFilesCount; ++i) {
      const NewPluginFile& file = kNewPluginFiles[i];
      const std::string_view language = file.language;
      if (language == "both" || language == language_) TRY_OK(Write(file));
    }
    session.out.Write("Made " + name_ +
                      "/, a plugin with two handlers, their test and a workflow.\n" +
                      "What to type next:\n\n" + NextCommands());
    return ExitCode::kOk;
  }

 private:
  Status CheckName() const {
    const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    const bool legal = std::ranges::all_of(
        name_, [&](char c) { return is_word(c) || c == '_' || c == '.' || c == '-'; });
    if (name_.empty() || name_.size() > kNameMaxBytes || !legal || !is_word(name_.front())) {
      return Invalid("new plugin '" + name_ + "': use 1 to " + std::to_string(kNameMaxBytes) +
                     " of a-z, 0-9, '_', '.' and '-', and begin with a letter or digit");
    }
    if (std::ranges::find(kTaken, std::string_view(name_)) != kTaken.end()) {
      return Invalid("new plugin '" + name_ +
                     "': CMake or the SDK has a target of that name; choose another");
    }
    return Ok();
  }

  std::string Source() const { return language_ == "c" ? "src/plugin.c" : "src/plugin.cc"; }

  std::string Filled(std::string_view text) const {
    std::string out;
    while (!text.empty()) {
      const std::size_t at = std::min(text.find("@NAME@"), text.find("@SOURCE@"));
      out += text.substr(0, at);
      if (at == std::string_view::npos) break;
      const bool is_name = text.substr(at).starts_with("@NAME@");
      out += is_name ? name_ : Source();
      text.remove_prefix(at + std::string_view(is_name ? "@NAME@" : "@SOURCE@").size());
    }
    return out;
  }

  Status Write(const NewPluginFile& file) const {
    const std::filesystem::path path = std::filesystem::path(name_) / file.path;
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    std::ofstream stream(path, std::ios::binary);
    stream << Filled(file.text);
    stream.close();
    if (stream) return Ok();
    return Unavailable("new plugin " + name_ + ": write " + path.string() + ": " +
                       std::strerror(errno));
  }

  std::string NextCommands() const {
    return "  cd " + name_ +
           "\n"
           "  cmake -B build && cmake --build build && ctest --test-dir build\n"
           "  tasker-host plugin check build/" +
           name_ +
           ".so\n"
           "  tasker-host --config worker.toml &\n"
           "  tasker-host --config worker.toml submit workflow.yaml --context '{\"name\": "
           "\"you\"}' "
           "--wait\n";
  }

  std::string name_, language_ = "cpp";
};

}  // namespace

std::unique_ptr<Command> MakePluginNew() { return std::make_unique<PluginNew>(); }

}  // namespace tasker::cli
