#include "cli/find_template.h"

#include <filesystem>
#include <system_error>
#include <utility>

namespace tasker::cli {
namespace {

FoundTemplate FromFile(pipeline::TemplateFile file) {
  FoundTemplate found;
  found.definition = std::move(file.parsed.task_template);
  found.text = std::move(file.text);
  found.path = std::move(file.path);
  found.warnings = file.parsed.warnings.size();
  return found;
}

Result<FoundTemplate> FromStore(const store::TemplateView& view, const config::Config& config) {
  // A text that the store took is not refused for its unknown keys later.
  TRY(workflow::ParsedTemplate parsed,
      workflow::ParseTemplate(view.body,
                              "template " + view.ns + "/" + view.name + "@" + view.version, false,
                              pipeline::LimitsOf(config.limits)));
  FoundTemplate found;
  found.definition = std::move(parsed.task_template);
  found.text = view.body;
  found.id = view.id;
  return found;
}

}  // namespace

bool IsTemplateFile(const std::string& word) {
  if (word.ends_with(".yaml") || word.ends_with(".yml")) return true;
  std::error_code
      ignored;  // What cannot be looked at is no file; as a name it is not found, and that is said.
  return word.find('/') != std::string::npos && std::filesystem::is_regular_file(word, ignored);
}

Result<FoundTemplate> FindTemplate(const std::string& word, const config::Config& config,
                                   const Session& session, std::optional<Client>& client) {
  if (IsTemplateFile(word)) {
    TRY(pipeline::TemplateFile file, pipeline::ReadTemplate(word, config));
    return FromFile(std::move(file));
  }
  TRY(const pipeline::TemplateName wanted, pipeline::TemplateName::Parse(word));
  pipeline::TemplateFolders folders = pipeline::ReadTemplates(config);
  std::vector<pipeline::TemplateIdentity> known;
  for (const pipeline::TemplateFile& file : folders.files) {
    const workflow::TaskTemplate& definition = file.parsed.task_template;
    known.push_back({definition.namespace_name, definition.name, definition.version});
  }
  const Result<std::size_t> in_folders = pipeline::Choose(wanted, known);
  if (in_folders) return FromFile(std::move(folders.files[*in_folders]));
  if (in_folders.error().code != ErrorCode::kNotFound) return in_folders.error();
  for (const Error& error : folders.errors) session.Note(error.message);

  auto opened = OpenClient(config, Missing::kRefuse);
  if (!opened)
    return opened.error().code == ErrorCode::kNotFound ? in_folders.error() : opened.error();
  client = *std::move(opened);
  TRY(const std::vector<store::TemplateView> stored, client->reader->Templates(false));
  for (const store::TemplateView& view : stored)
    known.push_back({view.ns, view.name, view.version});
  TRY(const std::size_t chosen, pipeline::Choose(wanted, known));
  return FromStore(stored[chosen - folders.files.size()], config);
}

}  // namespace tasker::cli
