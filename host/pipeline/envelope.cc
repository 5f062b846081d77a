#include "pipeline/envelope.h"

#include <boost/json/serialize.hpp>

#include "pipeline/stored_json.h"
#include "pipeline/timestamps.h"
#include "workflow/template_json.h"

namespace tasker::pipeline {
namespace {

namespace json = boost::json;
using workflow::JsonObject;

constexpr std::string_view kPlain = "{\"initiator\":";

std::string TextOf(const json::object& envelope, std::string_view key) {
  const json::value* const value = envelope.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::string JsonOf(const json::object& envelope, std::string_view key) {
  const json::value* const value = envelope.if_contains(key);
  return value == nullptr ? "null" : json::serialize(*value);
}

}  // namespace

std::string ToJson(const Envelope& envelope) {
  JsonObject object;
  if (!envelope.tags.empty()) {
    workflow::JsonArray tags;
    for (const std::string& tag : envelope.tags) tags.Add(workflow::JsonString(tag));
    object.Add("tags", tags.Take());
  }
  if (envelope.correlation) object.AddText("correlation_id", envelope.correlation->ToString());
  if (envelope.parent_correlation)
    object.AddText("parent_correlation_id", envelope.parent_correlation->ToString());
  if (envelope.requested) {
    std::string requested;
    AppendTimestamp(*envelope.requested, requested);
    object.AddText("requested_at", requested);
  }
  if (!envelope.options.empty()) object.Add("options", envelope.options);
  return object.AddText("initiator", envelope.initiator)
      .AddText("source_system", envelope.source_system)
      .AddText("reason", envelope.reason)
      .Take();
}

EnvelopeRow RowOf(std::string_view envelope) {
  EnvelopeRow row;
  row.tags = "null";
  if (envelope.starts_with(kPlain)) {
    row.who = envelope.substr(1, envelope.size() - 2);
    return row;
  }
  const std::optional<json::value> parsed = ParseStored(envelope);
  const json::object said = parsed && parsed->is_object() ? parsed->as_object() : json::object();
  row.who = "\"initiator\":" + JsonOf(said, "initiator") +
            ",\"source_system\":" + JsonOf(said, "source_system") +
            ",\"reason\":" + JsonOf(said, "reason");
  row.tags = JsonOf(said, "tags");
  row.requested_at = TextOf(said, "requested_at");
  row.correlation = Uuid::Parse(TextOf(said, "correlation_id"));
  row.parent_correlation = Uuid::Parse(TextOf(said, "parent_correlation_id"));
  return row;
}

}  // namespace tasker::pipeline
