#include <boost/json/array.hpp>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "cli/table.h"
#include "pipeline/templates.h"
#include "workflow/identity.h"

namespace tasker::cli {
namespace {

// A template as the folders and the store know it.
struct Listed {
  std::string path;    // empty: in no folder
  std::string sha256;  // of the file, else of the store's current revision
  bool stored = false;
  bool changed = false;  // the file's text is not the store's current one
  std::string description;
  std::int64_t steps = -1;  // unknown
};
using Identity = std::tuple<std::string, std::string, std::string>;  // namespace, name, version

class TemplateList final : public Command {
 public:
  void AddOptions(CLI::App&) override {}

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    const pipeline::TemplateFolders folders = pipeline::ReadTemplates(config);
    std::map<Identity, Listed> templates;
    for (const pipeline::TemplateFile& file : folders.files) {
      const workflow::TaskTemplate& definition = file.parsed.task_template;
      Listed& listed = templates[{definition.namespace_name, definition.name, definition.version}];
      listed.path = file.path;
      listed.sha256 = workflow::Sha256Hex(file.text);
      listed.description = definition.description;
      listed.steps = std::ssize(definition.steps);
    }
    TRY_OK(AddStored(config, templates));
    if (session.json) {
      PrintJson(templates, folders.errors, session);
    } else {
      PrintTable(templates, config, session);
    }
    for (const Error& error : folders.errors)
      session.err.Write(Printable(session.err.style(), error.message) + "\n");
    return folders.errors.empty() ? ExitCode::kOk : ExitCode::kBadInput;
  }

 private:
  static Status AddStored(const config::Config& config, std::map<Identity, Listed>& templates) {
    auto client = OpenClient(config, Missing::kRefuse);
    if (!client && client.error().code == ErrorCode::kNotFound)
      return Ok();  // No store yet: only files.
    if (!client) return client.error();
    TRY(const std::vector<store::TemplateView> stored, client->reader->Templates(false));
    for (const store::TemplateView& view : stored) {
      Listed& listed = templates[{view.ns, view.name, view.version}];
      listed.stored = true;
      listed.changed = !listed.path.empty() && listed.sha256 != view.sha256;
      if (listed.path.empty()) listed.sha256 = view.sha256;
    }
    return Ok();
  }

  static void PrintJson(const std::map<Identity, Listed>& templates,
                        const std::vector<Error>& errors, Session& session) {
    boost::json::array list;
    for (const auto& [identity, listed] : templates) {
      const auto& [ns, name, version] = identity;
      boost::json::value file = nullptr;
      if (!listed.path.empty()) file = listed.path;
      list.push_back({{"namespace", ns},
                      {"name", name},
                      {"version", version},
                      {"sha256", listed.sha256},
                      {"file", std::move(file)},
                      {"in_store", listed.stored},
                      {"changed", listed.changed}});
    }
    boost::json::array messages;
    for (const Error& error : errors) messages.push_back(boost::json::string(error.message));
    session.out.Write(JsonLine({{"templates", std::move(list)}, {"errors", std::move(messages)}}));
  }

  static void PrintTable(const std::map<Identity, Listed>& templates, const config::Config& config,
                         Session& session) {
    if (templates.empty()) {
      std::string paths;
      for (const std::string& path : config.templates.paths)
        paths.append(paths.empty() ? "" : ", ").append(path);
      session.Note("there is no template in " +
                   (paths.empty() ? "any folder (templates.paths is empty)" : paths));
      return;
    }
    Table table({"TEMPLATE", "VERSION", "STEPS", "REVISION", "STORE", "FILE", "DESCRIPTION"});
    for (const auto& [identity, listed] : templates) {
      const auto& [ns, name, version] = identity;
      const std::string stored = listed.changed ? "changed" : listed.stored ? "yes" : "no";
      table.Add({Cell(ns + "/" + name), Cell(version),
                 Cell(listed.steps < 0 ? "" : std::to_string(listed.steps)),
                 Cell(listed.sha256.substr(0, 12)),
                 Cell(stored, listed.changed ? Colour::kYellow : Colour::kNone), Cell(listed.path),
                 Cell(listed.description)});
    }
    session.out.Write(table.Text(session.out.style()));
  }
};

}  // namespace

std::unique_ptr<Command> MakeTemplateList() { return std::make_unique<TemplateList>(); }

}  // namespace tasker::cli
