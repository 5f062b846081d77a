#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/keys.h"
#include "config/load.h"
#include "config/value.h"

namespace tasker::config {
namespace {

namespace json = boost::json;

// A longer value stands out of its column instead of widening it for all.
constexpr std::size_t kValueWidthMax = 40;

struct Row {
  std::string key;
  json::value value;
  std::string text;  // the value as the file would have it
  std::string origin;
};

bool IsSecret(std::string_view key) {
  std::string lower(key);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  constexpr std::array<std::string_view, 4> kWords = {"password", "secret", "token", "key"};
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

json::value Hidden(std::string_view key, json::value value) {
  if (IsSecret(key)) return "***";
  if (auto* object = value.if_object()) {
    for (auto& [inner, held] : *object) held = Hidden(inner, std::move(held));
  } else if (auto* list = value.if_array()) {
    for (json::value& element : *list) element = Hidden("", std::move(element));
  }
  return value;
}

json::value ToJson(const Value& value) {
  struct Visitor {
    json::value operator()(bool flag) const { return flag; }
    json::value operator()(std::int64_t number) const { return number; }
    json::value operator()(const std::string& text) const { return json::value(text); }
    json::value operator()(const std::vector<std::string>& list) const {
      return json::value_from(list);
    }
    json::value operator()(const Unusable& other) const { return json::value(other.what); }
  };
  return std::visit(Visitor{}, value);
}

std::string OriginOf(const Config& config, const std::string& key) {
  const auto origin = config.origins.find(key);
  return origin == config.origins.end() ? std::string(kDefaultOrigin) : origin->second;
}

Row RowOf(const Config& config, std::string key, json::value value) {
  std::string text = json::serialize(value);
  std::string origin = OriginOf(config, key);
  return {std::move(key), std::move(value), std::move(text), std::move(origin)};
}

void AddPluginRows(const Config& config, std::vector<Row>& rows) {
  for (const auto& [plugin, text] : config.plugins.configs) {
    json::error_code error;
    json::value table = json::parse(text, error);
    CHECK(!error && table.is_object());
    const std::string name = "plugin." + plugin;
    if (table.as_object().empty()) rows.push_back(RowOf(config, name, json::object()));
    for (auto& [key, value] : table.as_object()) {
      rows.push_back(RowOf(config, name + "." + std::string(key), Hidden(key, std::move(value))));
    }
  }
}

std::vector<Row> RowsOf(const Config& config) {
  std::vector<Row> rows;
  for (const Key& key : Keys()) {
    const std::string name(key.name);
    if (std::holds_alternative<LevelsKey>(key.kind)) {
      for (const auto& [module, level] : config.log.modules) {
        rows.push_back(RowOf(config, name + "." + module, json::string(LevelWord(level))));
      }
      continue;
    }
    if (const auto* counts = std::get_if<CountsKey>(&key.kind)) {
      for (const auto& [inner, count] : counts->field.read(config))
        rows.push_back(RowOf(config, name + "." + inner, count));
      continue;
    }
    Row row = RowOf(config, name, ToJson(Read(key, config)));
    const std::int64_t* size =
        std::holds_alternative<SizeKey>(key.kind) ? row.value.if_int64() : nullptr;
    if (size != nullptr && *size % 1024 == 0) row.text = "\"" + FormatSize(*size) + "\"";
    rows.push_back(std::move(row));
  }
  AddPluginRows(config, rows);
  return rows;
}

// Characters, as far as UTF-8 tells.
std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void AppendPadded(std::string_view text, std::size_t width, std::string& out) {
  out += text;
  out.append(width - std::min(width, Width(text)) + 2, ' ');
}

}  // namespace

std::string Show(const Config& config, bool as_json) {
  std::vector<Row> rows = RowsOf(config);
  if (as_json) {
    json::object object;
    for (Row& row : rows)
      object[row.key] = {{"value", std::move(row.value)}, {"origin", row.origin}};
    return json::serialize(object) + "\n";
  }
  std::size_t key_width = 0;
  std::size_t value_width = 0;
  for (const Row& row : rows) {
    key_width = std::max(key_width, Width(row.key));
    value_width = std::max(value_width, std::min(Width(row.text), kValueWidthMax));
  }
  std::string table;
  for (const Row& row : rows) {
    AppendPadded(row.key, key_width, table);
    AppendPadded(row.text, value_width, table);
    table.append(row.origin).append("\n");
  }
  return table;
}

}  // namespace tasker::config
