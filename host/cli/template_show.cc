#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/find_template.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "cli/task_picture.h"
#include "workflow/identity.h"

namespace tasker::cli {
namespace {

class TemplateShow final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("TEMPLATE", template_, "NAME, NAMESPACE/NAME[@VERSION], or a YAML file")
        ->required();
    app.add_flag("--yaml", yaml_, "Print the template's text as it is");
  }

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    std::optional<Client> client;
    TRY(const FoundTemplate found, FindTemplate(template_, config, session, client));
    if (yaml_) {
      session.out.Write(found.text);
    } else if (session.json) {
      session.out.Write(workflow::TemplateToJson(found.definition) + "\n");
    } else {
      session.out.Write(Text(found, session.out.style()));
    }
    return ExitCode::kOk;
  }

 private:
  static std::string Text(const FoundTemplate& found, const Style& style) {
    const workflow::TaskTemplate& definition = found.definition;
    const std::string label =
        definition.namespace_name + "/" + definition.name + "@" + definition.version;
    std::string text = Paint(style, Colour::kBold, Printable(style, label)) + "  " +
                       Count(std::ssize(definition.steps), "step") + "  revision " +
                       workflow::Sha256Hex(found.text).substr(0, 12) + "  " +
                       (found.path.empty() ? "in the store" : Printable(style, found.path)) + "\n";
    if (!definition.description.empty()) text += Printable(style, definition.description) + "\n";
    text += "\n";
    for (const std::string& line : TemplatePicture(definition, style)) text += line + "\n";
    if (definition.input_schema) {
      text += "\n" + Paint(style, Colour::kBold, "Context") + " must match " +
              Printable(style, *definition.input_schema) + "\n";
    }
    return text;
  }

  std::string template_;
  bool yaml_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeTemplateShow() { return std::make_unique<TemplateShow>(); }

}  // namespace tasker::cli
