#include "config/file.h"

#include <toml++/toml.h>

#include <boost/json.hpp>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "config/keys.h"
#include "config/substitute.h"
#include "config/upstream.h"
#include "config/value.h"

namespace tasker::config {
namespace {

namespace json = boost::json;

std::string TypeName(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a float";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::date:
      return "a date";
    case toml::node_type::time:
      return "a time";
    case toml::node_type::date_time:
      return "a date with a time";
    case toml::node_type::none:
      break;
  }
  return "nothing";
}

// Walks one document. Keeps the error that stands first in it, whatever the order of the walk.
class FileReader final {
 public:
  FileReader(const std::string& path, const Environment& env, Config& config)
      : path_(path),
        folder_(std::filesystem::absolute(path).parent_path()),
        env_(env),
        config_(config) {}

  Status Apply(const toml::table& document) {
    for (const auto& [key, node] : document) {
      if (key == "plugin") {
        Plugins(node);
      } else if (IsUpstreamSection(key.str())) {
        Upstream(std::string(key.str()), node);
      } else if (const toml::table* table = node.as_table();
                 IsSection(key.str()) && table != nullptr) {
        Section(std::string(key.str()), *table);
      } else if (IsSection(key.str())) {
        Fail(key, Invalid(std::string(key.str()) + " is " + TypeName(node) +
                          "; expected the section [" + std::string(key.str()) + "]"));
      } else {
        UnknownAtTop(key, node);
      }
    }
    TakeUpstream(document);
    if (first_error_) return *first_error_;
    if (!passed_over_.empty()) config_.notices.push_back(PassedOverNotice(path_, passed_over_));
    return Ok();
  }

 private:
  void Section(const std::string& section, const toml::table& table) {
    for (const auto& [key, node] : table) {
      const std::string name = section + "." + std::string(key.str());
      if (const Key* known = FindKey(name); known != nullptr) {
        Known(*known, key, node);
      } else if (IsUpstreamWorkerKey(section, key.str(), node.is_table())) {
        PassOver(name);
      } else {
        // [plugins.NAME] for [plugin.NAME] is the slip that spelling alone does not find.
        const bool plugin = section == "plugins" && node.is_table();
        const std::string nearest =
            plugin ? "plugin." + std::string(key.str()) : std::string(NearestKey(name));
        Fail(key, Invalid("unknown key " + Quoted(name) + "; the nearest known one is \"" +
                          nearest + "\""));
      }
    }
  }

  void UnknownAtTop(const toml::key& key, const toml::node& node) {
    const std::string nearest(node.is_table() ? NearestSection(key.str()) : NearestKey(key.str()));
    Fail(key, Invalid((node.is_table() ? "unknown section " : "unknown key ") + Quoted(key.str()) +
                      "; the nearest known one is \"" + nearest + "\""));
  }

  void Known(const Key& key, const toml::key& at, const toml::node& node) {
    const auto* levels = std::get_if<LevelsKey>(&key.kind);
    const auto* counts = std::get_if<CountsKey>(&key.kind);
    if (const toml::table* table = node.as_table();
        table != nullptr && (levels != nullptr || counts != nullptr)) {
      for (const auto& [inner, entry] : *table) {
        const std::string word(inner.str());
        const std::string name = std::string(key.name) + "." + word;
        Result<Value> value = ToValue(entry);
        Status status = !value              ? Status(value.error())
                        : levels != nullptr ? AssignLevel(*levels, word, name, *value, config_)
                                            : AssignCount(*counts, word, name, *value, config_);
        Assigned(name, inner, status);
      }
      return;
    }
    Result<Value> value = ToValue(node);
    Status status = value ? Assign(key, key.name, *value, folder_, config_) : value.error();
    Assigned(std::string(key.name), at, status);
  }

  void Assigned(const std::string& name, const toml::key& at, const Status& status) {
    if (status) {
      config_.origins[name] = Place(at.source());
    } else {
      Fail(at, status.error());
    }
  }

  void Plugins(const toml::node& node) {
    const toml::table* plugins = node.as_table();
    if (plugins == nullptr) {
      Fail(node.source(),
           Invalid("plugin is " + TypeName(node) + "; expected sections [plugin.NAME]"));
      return;
    }
    for (const auto& [key, value] : *plugins) {
      const std::string name = "plugin." + std::string(key.str());
      const toml::table* table = value.as_table();
      if (table == nullptr) {
        Fail(key, Invalid(name + " is " + TypeName(value) + "; expected a section [" + name + "]"));
        continue;
      }
      for (const auto& [inner, unused] : *table) {
        config_.origins[name + "." + std::string(inner.str())] = Place(inner.source());
      }
      config_.origins[name] = Place(key.source());
      config_.plugins.configs[std::string(key.str())] = json::serialize(ToJson(*table));
    }
  }

  void Upstream(const std::string& section, const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr) return PassOver(section);
    for (const auto& [key, unused] : *table) PassOver(section + "." + std::string(key.str()));
  }

  // What a worker of tasker-core and this host have in common, unless the file says it in our
  // words, too.
  void TakeUpstream(const toml::table& document) {
    TakeUpstreamValue("worker.id", kUpstreamWorkerId, document);
    TakeUpstreamValue("templates.paths", kUpstreamSearchPaths, document);
  }

  void TakeUpstreamValue(std::string_view ours, std::string_view theirs,
                         const toml::table& document) {
    const auto node = document.at_path(theirs);
    const auto origin = config_.origins.find(std::string(ours));
    if (!node || (origin != config_.origins.end() && origin->second != kDefaultOrigin)) return;
    const Key* key = FindKey(ours);
    CHECK(key != nullptr);
    Result<Value> value = ToValue(*node.node());
    if (value) {
      if (auto* patterns = std::get_if<std::vector<std::string>>(&*value))
        *patterns = FoldersOf(*patterns);
    }
    Status status = value ? Assign(*key, theirs, *value, Workspace(env_), config_) : value.error();
    if (status) {
      config_.origins[std::string(ours)] = Place(node.node()->source());
    } else {
      Fail(node.node()->source(), status.error());
    }
  }

  void PassOver(std::string name) {
    // tasker-core's own files document each key in such a table beside it.
    if (name.ends_with("._docs") || name == kUpstreamWorkerId || name == kUpstreamTemplates) return;
    passed_over_.insert(std::move(name));
  }

  Result<Value> ToValue(const toml::node& node) const {
    if (const auto* flag = node.as_boolean()) return Value(flag->get());
    if (const auto* number = node.as_integer()) return Value(number->get());
    if (const auto* text = node.as_string()) {
      TRY(std::string substituted, Substitute(text->get(), env_));
      return Value(std::move(substituted));
    }
    const toml::array* list = node.as_array();
    if (list == nullptr) return Value(Unusable{TypeName(node)});
    std::vector<std::string> texts;
    for (const toml::node& element : *list) {
      const auto* text = element.as_string();
      if (text == nullptr) return Value(Unusable{"a list that holds " + TypeName(element)});
      TRY(texts.emplace_back(), Substitute(text->get(), env_));
    }
    return Value(std::move(texts));
  }

  // For plugins; a failure inside is noted, and null stands in its place.
  json::value ToJson(const toml::node& node) {
    if (const auto* flag = node.as_boolean()) return flag->get();
    if (const auto* number = node.as_integer()) return number->get();
    if (const auto* number = node.as_floating_point()) return FloatToJson(*number);
    if (const auto* text = node.as_string()) {
      Result<std::string> substituted = Substitute(text->get(), env_);
      if (substituted) return json::value(*substituted);
      Fail(node.source(), substituted.error());
      return nullptr;
    }
    if (const toml::array* list = node.as_array()) {
      json::array array;
      for (const toml::node& element : *list) array.push_back(ToJson(element));
      return array;
    }
    if (const toml::table* table = node.as_table()) {
      json::object object;
      for (const auto& [key, value] : *table) object[key.str()] = ToJson(value);
      return object;
    }
    std::ostringstream text;  // Dates and times, which JSON has only as text.
    node.visit([&](const auto& concrete) { text << concrete; });
    return json::value(text.str());
  }

  json::value FloatToJson(const toml::value<double>& number) {
    if (std::isfinite(number.get())) return number.get();
    Fail(
        number.source(),
        Invalid(
            "a plugin gets its table as JSON, which has no inf and no nan; write a finite number"));
    return nullptr;
  }

  std::string Place(const toml::source_region& source) const {
    return path_ + ":" + std::to_string(source.begin.line);
  }

  void Fail(const toml::key& key, Error error) { Fail(key.source(), std::move(error)); }
  void Fail(const toml::source_region& source, Error error) {
    if (first_error_ && first_line_ <= source.begin.line) return;
    first_line_ = source.begin.line;
    first_error_ = Prefixed(Place(source), std::move(error));
  }

  const std::string path_;
  const std::filesystem::path folder_;
  const Environment& env_;
  Config& config_;
  std::set<std::string> passed_over_;
  std::optional<Error> first_error_;
  toml::source_index first_line_ = 0;
};

Result<std::string> ReadText(const std::string& path) {
  std::error_code error;
  const auto type = std::filesystem::status(path, error).type();
  if (type == std::filesystem::file_type::not_found) {
    return NotFound("the configuration file " + path +
                    " does not exist; name another one, or none for the defaults");
  }
  if (type == std::filesystem::file_type::directory) {
    return Invalid("the configuration " + path + " is a folder; name the TOML file in it");
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(file.peek() == std::ifstream::traits_type::eof() || text << file.rdbuf())) {
    return Invalid("cannot read the configuration file " + path + ": " + std::strerror(errno));
  }
  return text.str();
}

}  // namespace

Status ApplyFile(const std::string& path, const Environment& env, Config& config) {
  TRY(const std::string text, ReadText(path));
  try {
    const toml::table document = toml::parse(text, path);
    return FileReader(path, env, config).Apply(document);
  } catch (const toml::parse_error& error) {
    return Invalid(path + ":" + std::to_string(error.source().begin.line) +
                   ": this is not TOML: " + std::string(error.description()));
  }
}

}  // namespace tasker::config
