#include "plugin/log_line.h"

#include <algorithm>
#include <utility>

#include <tasker/plugin.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "plugin/text.h"

namespace tasker::plugin {
namespace {

namespace json = boost::json;

constexpr char kModule[] = "plugin";
constexpr std::size_t kMessageMaxBytes = std::size_t{16} << 10;
constexpr std::size_t kFieldMaxBytes = 1024;
constexpr std::size_t kFieldsMaxBytes = std::size_t{64} << 10;
constexpr std::size_t kFieldsMax = 32;

static_assert(TASKER_LOG_TRACE == static_cast<int>(log::Level::kTrace));
static_assert(TASKER_LOG_ERROR == static_cast<int>(log::Level::kError));

log::Level ToLevel(std::int32_t level) {
  return static_cast<log::Level>(
      std::clamp<std::int32_t>(level, TASKER_LOG_TRACE, TASKER_LOG_ERROR));
}

std::string View(const json::value& value) {
  if (value.is_string()) return CleanText(std::string_view(value.get_string()), kFieldMaxBytes);
  return json::serialize(value);
}

void AddOwn(std::string_view text, log::Fields& fields) {
  if (text.empty() || text.size() > kFieldsMaxBytes) return;
  json::error_code code;
  const json::value parsed = json::parse(text, code);
  if (code || !parsed.is_object()) {
    fields.emplace_back("fields", "left out: no JSON object");
    return;
  }
  const std::size_t reserved = fields.size();
  for (const auto& [key, value] : parsed.get_object()) {
    const std::string_view name(key.data(), key.size());
    const auto taken = [&](const log::Field& field) { return field.key == name; };
    if (value.is_structured() || value.is_null() || std::ranges::any_of(fields, taken)) continue;
    if (fields.size() - reserved == kFieldsMax) return;
    log::Field field(CleanText(name, kFieldMaxBytes), View(value));
    field.number = value.is_number();
    fields.push_back(std::move(field));
  }
}

}  // namespace

log::Fields AttemptFields(const StepInput& input) {
  return {{"task", input.task.ToString()},
          {"step", input.step.ToString()},
          {"attempt", input.attempt},
          {"handler", input.handler}};
}

void WriteLogLine(const std::string& plugin, const StepInput* attempt_or_null, std::int32_t level,
                  std::string_view message, std::string_view fields) {
  if (!LogLineEnabled(level)) return;
  log::Fields all;
  if (attempt_or_null != nullptr) all = AttemptFields(*attempt_or_null);
  all.emplace_back("plugin", plugin);
  AddOwn(fields, all);
  log::Write(ToLevel(level), kModule, CleanText(message, kMessageMaxBytes), all);
}

bool LogLineEnabled(std::int32_t level) { return log::Enabled(kModule, ToLevel(level)); }

}  // namespace tasker::plugin
