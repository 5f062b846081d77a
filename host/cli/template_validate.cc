#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "cli/style.h"
#include "pipeline/templates.h"

namespace tasker::cli {
namespace {

class TemplateValidate final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("FILE", files_,
                   "Template files, or folders of them; without: the configured folders");
    app.add_flag("--strict", strict_, "Unknown keys are errors, as with templates.strict");
  }

  Result<ExitCode> Run(Session& session) override {
    TRY(config::Config config, session.LoadConfig());
    if (strict_) config.templates.strict = true;
    if (files_.empty()) {
      files_ = config.templates.paths;
      std::erase_if(files_, [](const std::string& path) {
        std::error_code error;
        return !std::filesystem::exists(path, error);
      });
    }
    TRY(const std::vector<std::string> files, FilesOf(files_));
    bool good = true;
    boost::json::array list;
    for (const std::string& path : files) {
      const auto file = pipeline::ReadTemplate(path, config);
      good = good && file.has_value();
      if (session.json) {
        list.push_back(JsonOf(path, file));
      } else {
        Print(path, file, session);
      }
    }
    if (session.json) session.out.Write(JsonLine(list));
    return good ? ExitCode::kOk : ExitCode::kBadInput;
  }

 private:
  // A folder stands for the templates below it.
  static Result<std::vector<std::string>> FilesOf(const std::vector<std::string>& named) {
    std::vector<std::string> files;
    for (const std::string& path : named) {
      std::error_code error;
      if (!std::filesystem::is_directory(path, error)) {
        files.push_back(path);
        continue;
      }
      TRY(auto below, pipeline::TemplateFilesIn(path));
      std::ranges::move(below, std::back_inserter(files));
    }
    if (files.empty()) return NotFound("there is no template to validate; name a file or a folder");
    return files;
  }

  static std::string LabelOf(const pipeline::TemplateFile& file) {
    const workflow::TaskTemplate& definition = file.parsed.task_template;
    return definition.namespace_name + "/" + definition.name + "@" + definition.version;
  }

  static void Print(const std::string& path, const Result<pipeline::TemplateFile>& file,
                    Session& session) {
    const Style style = session.out.style();
    const auto line = [&](std::string_view text, std::string_view kind, Colour colour) {
      session.out.Write(Printable(style, text) + (kind.empty() ? "" : " ") +
                        Paint(style, colour, kind));
    };
    if (!file) {
      line(file.error().message, "", Colour::kNone);
      session.out.Write("\n" + Printable(style, path) + ": " +
                        Paint(style, Colour::kRed, "refused") + "\n");
      return;
    }
    const workflow::ParsedTemplate& parsed = file->parsed;
    for (const workflow::TemplateWarning& warning : parsed.warnings) {
      line(path + ":" + std::to_string(warning.line) + ":", "warning:", Colour::kYellow);
      session.out.Write(" " + Printable(style, warning.message) + "\n");
    }
    if (!parsed.no_effect.empty()) {
      line(path + ":", "note:", Colour::kBlue);
      std::string keys;
      for (const std::string& key : parsed.no_effect)
        keys.append(keys.empty() ? "" : ", ").append(key);
      session.out.Write(
          " kept and shown, but without effect in this release: " + Printable(style, keys) + "\n");
    }
    line(path + ":", "ok", Colour::kGreen);
    session.out.Write(", " + Printable(style, LabelOf(*file)) + ", " +
                      Count(std::ssize(parsed.task_template.steps), "step") + "\n");
  }

  static boost::json::object JsonOf(const std::string& path,
                                    const Result<pipeline::TemplateFile>& file) {
    if (!file) return {{"file", path}, {"ok", false}, {"error", file.error().message}};
    boost::json::array warnings;
    for (const workflow::TemplateWarning& warning : file->parsed.warnings) {
      warnings.push_back({{"line", warning.line}, {"message", warning.message}});
    }
    boost::json::array no_effect;
    for (const std::string& key : file->parsed.no_effect)
      no_effect.push_back(boost::json::string(key));
    return {{"file", path},
            {"ok", true},
            {"template", LabelOf(*file)},
            {"steps", file->parsed.task_template.steps.size()},
            {"warnings", std::move(warnings)},
            {"no_effect", std::move(no_effect)}};
  }

  std::vector<std::string> files_;
  bool strict_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeTemplateValidate() { return std::make_unique<TemplateValidate>(); }

}  // namespace tasker::cli
