#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/client.h"
#include "cli/session.h"
#include "pipeline/templates.h"

namespace tasker::cli {

// Whether the word names a file rather than a template: it ends in .yaml or .yml, or has a / and is
// there.
bool IsTemplateFile(const std::string& word);

// A template that was found by what a person typed.
struct FoundTemplate {
  workflow::TaskTemplate definition;
  std::string text;          // the YAML
  std::string path;          // its file; empty: it is only in the store
  std::int64_t id = 0;       // in the store; 0: not known yet
  std::size_t warnings = 0;  // that its file has
};

// A file is read; a name is looked up in the template folders, and where those do not have it, in
// the store, which is opened into `client` for that if there is one. What is wrong in the folders
// is told when the name is not found.
Result<FoundTemplate> FindTemplate(const std::string& word, const config::Config& config,
                                   const Session& session, std::optional<Client>& client);

}  // namespace tasker::cli
