#include "pipeline/templates.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <set>
#include <system_error>
#include <utility>

#include "workflow/identity.h"

namespace tasker::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNearMax = 3;  // names that an error suggests

Result<std::string> ReadText(const std::string& path, std::int64_t bytes_max) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return Error{ErrorCode::kNotFound,
                 path + ": cannot be read: " + std::generic_category().message(errno)};
  std::string text(static_cast<std::size_t>(bytes_max) + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad())
    return Invalid(path + ": cannot be read: " + std::generic_category().message(errno));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > static_cast<std::size_t>(bytes_max)) {
    return Invalid(path + ": a template of more than limits.template_max_bytes = " +
                   std::to_string(bytes_max) + " bytes; split it, or raise the limit");
  }
  return text;
}

std::string Label(const workflow::TaskTemplate& of) {
  return of.namespace_name + "/" + of.name + "@" + of.version;
}

std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

bool IsNumber(std::string_view part) {
  return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
}

// Compares "1.10.0" with "1.9.0" number by number; what is no number, by its text.
bool VersionLess(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const std::string_view x = a.substr(0, a.find('.'));
    const std::string_view y = b.substr(0, b.find('.'));
    if (x != y) {
      if (!IsNumber(x) || !IsNumber(y)) return x < y;
      const auto significant = [](std::string_view n) {
        return n.substr(std::min(n.find_first_not_of('0'), n.size()));
      };
      const std::string_view p = significant(x);
      const std::string_view q = significant(y);
      if (p.size() != q.size()) return p.size() < q.size();
      if (p != q) return p < q;
    }
    a.remove_prefix(std::min(x.size() + 1, a.size()));
    b.remove_prefix(std::min(y.size() + 1, b.size()));
  }
  return a.empty() && !b.empty();
}

Error NoSuchTemplate(const TemplateName& wanted, const std::vector<TemplateIdentity>& known) {
  std::map<std::size_t, std::set<std::string>> near;  // by distance
  for (const TemplateIdentity& one : known) {
    near[Distance(wanted.name, one.name)].insert(
        TemplateName{one.ns, one.name, one.version}.ToString());
  }
  std::string names;
  std::size_t count = 0;
  for (const auto& [distance, at] : near) {
    for (const std::string& name : at) {
      if (count++ < kNearMax) names += (names.empty() ? "" : ", ") + name;
    }
  }
  const std::string what = "there is no template '" + wanted.ToString() + "'";
  if (names.empty())
    return NotFound(what + ", and no other; put its YAML file into a template folder");
  return NotFound(what + "; near it are: " + names);
}

}  // namespace

Result<std::vector<std::string>> TemplateFilesIn(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code code;
  fs::recursive_directory_iterator entry(folder, code);
  for (; !code && entry != fs::recursive_directory_iterator(); entry.increment(code)) {
    const std::string extension = entry->path().extension().string();
    std::error_code ignored;  // what is gone by now is no file
    if ((extension == ".yaml" || extension == ".yml") && entry->is_regular_file(ignored)) {
      files.push_back(entry->path().string());
    }
  }
  if (code) return Invalid("template folder " + folder + ": it cannot be read: " + code.message());
  std::ranges::sort(files);
  return files;
}

store::NewTemplate TemplateFile::ForStore() const {
  const workflow::TaskTemplate& of = parsed.task_template;
  return {of.namespace_name, of.name, of.version, workflow::Sha256Hex(text), text};
}

workflow::TemplateLimits LimitsOf(const config::Limits& limits) {
  return {static_cast<std::size_t>(limits.template_max_bytes),
          static_cast<std::size_t>(limits.steps_max), static_cast<int>(limits.json_depth_max)};
}

Result<TemplateFile> ReadTemplate(const std::string& path, const config::Config& config) {
  TemplateFile file;
  file.path = path;
  TRY(file.text, ReadText(path, config.limits.template_max_bytes));
  TRY(file.parsed,
      workflow::ParseTemplate(file.text, path, config.templates.strict, LimitsOf(config.limits)));
  return file;
}

TemplateFolders ReadTemplates(const config::Config& config) {
  TemplateFolders out;
  std::set<std::string> paths;                // folders may contain each other
  std::map<std::string, TemplateFile> good;   // by label
  std::map<std::string, std::string> rivals;  // label -> the files that differ
  for (const std::string& folder : config.templates.paths) {
    const auto files = TemplateFilesIn(folder);
    if (!files) {
      out.errors.push_back(files.error());
      continue;
    }
    for (const std::string& path : *files) {
      if (!paths.insert(path).second) continue;
      auto file = ReadTemplate(path, config);
      if (!file) {
        out.errors.push_back(file.error());
        continue;
      }
      const std::string label = Label(file->parsed.task_template);
      const auto [first, added] = good.try_emplace(label, *file);
      if (added || first->second.text == file->text) continue;
      std::string& named = rivals[label];
      if (named.empty()) named = first->second.path;
      named += " and " + path;
    }
  }
  for (const auto& [label, files] : rivals) {
    good.erase(label);
    out.errors.push_back(
        Conflict("template " + label + " stands in " + files +
                 " with different texts; none is used: remove one, or give it another version"));
  }
  for (auto& [label, file] : good) out.files.push_back(std::move(file));
  std::ranges::sort(out.files, {}, &TemplateFile::path);
  return out;
}

Result<TemplateName> TemplateName::Parse(std::string_view text) {
  TemplateName out;
  std::string_view rest = text;
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    out.ns = rest.substr(0, slash);
    rest.remove_prefix(slash + 1);
    if (out.ns.empty()) rest = {};
  }
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    out.version = rest.substr(at + 1);
    rest = out.version.empty() || out.ns.empty() ? std::string_view() : rest.substr(0, at);
  }
  out.name = rest;
  if (out.name.empty() || out.name.find('/') != std::string::npos) {
    return Invalid("'" + std::string(text) +
                   "' is no template name; write NAME, NAMESPACE/NAME or NAMESPACE/NAME@VERSION");
  }
  return out;
}

std::string TemplateName::ToString() const {
  return (ns.empty() ? "" : ns + "/") + name + (version.empty() ? "" : "@" + version);
}

Result<std::size_t> Choose(const TemplateName& wanted, const std::vector<TemplateIdentity>& known) {
  std::optional<std::size_t> best;
  std::set<std::string> namespaces;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const TemplateIdentity& one = known[i];
    if (one.name != wanted.name) continue;
    if (!wanted.ns.empty() && one.ns != wanted.ns) continue;
    if (!wanted.version.empty() && one.version != wanted.version) continue;
    namespaces.insert(one.ns);
    if (!best || VersionLess(known[*best].version, one.version)) best = i;
  }
  if (!best) return NoSuchTemplate(wanted, known);
  if (namespaces.size() > 1) {
    std::string names;
    for (const std::string& ns : namespaces)
      names += (names.empty() ? "" : ", ") + ns + "/" + wanted.name;
    return Invalid("several namespaces have a template '" + wanted.name + "': " + names +
                   "; name one of these");
  }
  return *best;
}

}  // namespace tasker::pipeline
