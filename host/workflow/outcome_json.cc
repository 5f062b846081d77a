#include "workflow/outcome_json.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace tasker::workflow {

std::string ErrorJson(const Failed& failed) {
  boost::json::object out = {
      {"type", failed.type}, {"message", failed.message}, {"retryable", failed.retryable}};
  if (!failed.backtrace.empty()) out["backtrace"] = failed.backtrace;
  if (!failed.error_code.empty()) out["error_code"] = failed.error_code;
  if (failed.http_status != 0) out["http_status"] = failed.http_status;
  if (failed.retry_after) out["retry_after_ms"] = failed.retry_after->count() / 1000;
  std::string text = boost::json::serialize(out);
  // These two are JSON texts already, checked where they entered.
  const auto append = [&text](std::string_view key, const std::string& json) {
    if (json.empty()) return;
    text.pop_back();
    text.append(",\"").append(key).append("\":").append(json).append("}");
  };
  append("context", failed.context);
  append("metadata", failed.metadata);
  return text;
}

std::string ErrorJson(bool retryable, std::string_view type, std::string_view message) {
  Failed failed;
  failed.retryable = retryable;
  failed.type = type;
  failed.message = message;
  return ErrorJson(failed);
}

std::string LateJson(const Outcome& outcome, Time started, Time ended) {
  std::string out = "{\"started_us\":" + std::to_string(Micros(started)) +
                    ",\"ended_us\":" + std::to_string(Micros(ended));
  if (const auto* succeeded = std::get_if<Succeeded>(&outcome)) {
    out += ",\"result\":" + succeeded->result;
  } else if (const auto* failed = std::get_if<Failed>(&outcome)) {
    out += ",\"error\":" + ErrorJson(*failed);
  }
  return out + "}";
}

}  // namespace tasker::workflow
