#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "store/store.h"
#include "workflow/template.h"

namespace tasker::pipeline {

// A template file that was read and parsed.
struct TemplateFile {
  std::string path;
  std::string text;
  workflow::ParsedTemplate parsed;

  store::NewTemplate ForStore() const;
};

workflow::TemplateLimits LimitsOf(const config::Limits& limits);

// Reads one file. Errors carry "path:line:" where there is a line.
Result<TemplateFile> ReadTemplate(const std::string& path, const config::Config& config);

// Every *.yaml and *.yml below the folder, sorted by path.
Result<std::vector<std::string>> TemplateFilesIn(const std::string& folder);

// Reads every *.yaml and *.yml below the configured folders, sorted by path. Good files are
// returned although others are bad; two files that claim the same namespace/name@version with
// different text are an error that names both.
struct TemplateFolders {
  std::vector<TemplateFile> files;
  std::vector<Error> errors;
};
TemplateFolders ReadTemplates(const config::Config& config);

// "NAME", "NAMESPACE/NAME" or "NAMESPACE/NAME@VERSION".
struct TemplateName {
  std::string ns, name, version;  // empty: not said

  static Result<TemplateName> Parse(std::string_view text);
  std::string ToString() const;
};

// The one template that the name means, of those given (index into it). Without a version the
// highest one wins (compared number by number); without a namespace only one may have the name.
// kNotFound names the nearest known names.
struct TemplateIdentity {
  std::string ns, name, version;
};
Result<std::size_t> Choose(const TemplateName& wanted, const std::vector<TemplateIdentity>& known);

}  // namespace tasker::pipeline
