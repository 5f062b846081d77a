#include "plugin/abi.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "plugin/text.h"

namespace tasker::plugin {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

// The sizes of ABI 1.0. They stay when the structs grow.
constexpr std::uint32_t kEntrySize10 = 88;
constexpr std::uint32_t kSuccessSize10 = 104;
constexpr std::uint32_t kFailureSize10 = 152;
static_assert(sizeof(tasker_plugin_entry) >= kEntrySize10);
static_assert(sizeof(tasker_success) >= kSuccessSize10);
static_assert(sizeof(tasker_failure) >= kFailureSize10);

constexpr std::size_t kNameMaxBytes = 128;
constexpr nanoseconds kRetryAfterMax = std::chrono::hours(1);

bool IsPluginName(std::string_view name) {
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  };
  return !name.empty() && name.size() <= kNameMaxBytes && std::ranges::all_of(name, legal);
}

tasker_str Str(std::string_view text) { return {text.data(), text.size()}; }
tasker_bytes Bytes(std::string_view text) { return {text.data(), text.size(), nullptr, nullptr}; }

tasker_uuid ToAbi(const Uuid& id) {
  tasker_uuid out;
  std::memcpy(out.bytes, id.bytes.data(), sizeof out.bytes);
  return out;
}

workflow::Failed Permanent(std::string type, std::string message) {
  workflow::Failed failed;
  failed.retryable = false;
  failed.type = std::move(type);
  failed.message = std::move(message);
  return failed;
}

enum class Shape { kAny, kObject, kArray };

// Copies and checks one of a success's three texts.
std::optional<workflow::Failed> ReadPart(const tasker_bytes& bytes, std::string_view noun,
                                         Shape shape, const std::string& handler,
                                         const Limits& limits, std::string& out) {
  const std::string_view text = View(bytes);
  if (text.empty()) return std::nullopt;
  // Built only for a defect: every attempt comes through here.
  const auto subject = [&] {
    return "the " + std::string(noun) + " of handler '" + handler + "' ";
  };
  if (text.size() > limits.result_max_bytes) {
    return Permanent("ResultTooLarge", subject() + "has " + std::to_string(text.size()) +
                                           " bytes, more than limits.result_max_bytes = " +
                                           std::to_string(limits.result_max_bytes));
  }
  if (auto json = CheckJsonText(text, limits.json_depth_max); !json) {
    return Permanent("InvalidResult", subject() + "is no JSON: " + json.error().message);
  }
  const char first = text[text.find_first_not_of(" \t\r\n")];
  if (shape == Shape::kObject && first != '{')
    return Permanent("InvalidResult", subject() + "is no JSON object");
  if (shape == Shape::kArray && first != '[')
    return Permanent("InvalidResult", subject() + "is no JSON array");
  out.assign(text);
  return std::nullopt;
}

// A failure stays what the handler said, also when what it adds is unusable: that is left out, with
// a notice.
void ReadExtra(const tasker_bytes& bytes, std::string_view noun, const Limits& limits,
               std::string& out, std::string& message) {
  const std::string_view text = View(bytes);
  if (text.empty()) return;
  std::string why;
  if (text.size() > limits.error_max_bytes) {
    why = "it has more than " + std::to_string(limits.error_max_bytes) + " bytes";
  } else if (auto json = CheckJsonText(text, limits.json_depth_max); !json) {
    why = "it is no JSON: " + json.error().message;
  } else if (text[text.find_first_not_of(" \t\r\n")] != '{') {
    why = "it is no JSON object";
  }
  if (why.empty()) {
    out.assign(text);
  } else {
    message.append(" [").append(noun).append(" left out: ").append(why).append("]");
  }
}

microseconds ToMicros(std::int64_t ns, nanoseconds max) {
  return duration_cast<microseconds>(std::clamp(nanoseconds(ns), nanoseconds(0), max));
}

}  // namespace

Result<PluginEntry> ReadEntry(const tasker_plugin_entry* entry, const std::string& file) {
  const std::string prefix = "plugin " + file + ": ";
  if (entry == nullptr) {
    return Invalid(prefix + "tasker_plugin_v1() returned NULL; it must return its table");
  }
  if (entry->size < kEntrySize10) {
    return Invalid(prefix + "its table says size " + std::to_string(entry->size) +
                   ", ABI 1.0 has " + std::to_string(kEntrySize10) +
                   "; set size = sizeof(tasker_plugin_entry)");
  }
  PluginEntry out;
  out.identity = entry;
  out.table = CopyPrefix(*entry);
  if (out.table.min_host_minor > TASKER_ABI_MINOR) {
    return Incompatible(prefix + "it needs a host with plugin ABI 1." +
                        std::to_string(out.table.min_host_minor) + ", this host has 1." +
                        std::to_string(TASKER_ABI_MINOR) + "; install a newer tasker-host");
  }
  if (!IsPluginName(View(out.table.name))) {
    return Invalid(prefix + "its name '" + CleanText(View(out.table.name), kNameMaxBytes) +
                   "' is not legal; use 1 to 128 of a-z, 0-9, '_', '.' and '-'");
  }
  if (out.table.init == nullptr) {
    return Invalid(prefix + "its table has no init; every plugin needs one");
  }
  out.name = View(out.table.name);
  out.version = CleanText(View(out.table.version), kNameMaxBytes);
  out.table.name = out.table.version = {};
  return out;
}

tasker_step ViewStep(const StepInput& input) {
  tasker_step step{};
  step.size = sizeof step;
  step.attempt = input.attempt;
  step.max_attempts = input.max_attempts;
  step.crashes = input.crashes;
  step.priority = input.priority;
  step.task = ToAbi(input.task);
  step.step = ToAbi(input.step);
  step.correlation = ToAbi(input.correlation);
  step.call_id = ToAbi(input.call_id);
  step.handler = Str(input.handler);
  step.method = Str(input.method);
  step.resolver = Str(input.resolver);
  step.task_namespace = Str(input.task_namespace);
  step.task_name = Str(input.task_name);
  step.task_version = Str(input.task_version);
  step.step_name = Str(input.step_name);
  step.idempotency_key = Str(input.idempotency_key);
  step.context = Bytes(input.context);
  step.dependencies = Bytes(input.dependencies);
  step.config = Bytes(input.config.view());
  step.checkpoint = Bytes(input.checkpoint);
  step.inputs = Bytes(input.inputs.view());
  step.definition = Bytes(input.definition.view());
  step.task_row = Bytes(input.task_row);
  step.step_row = Bytes(input.step_row);
  if (input.deadline) {
    step.deadline_ns = duration_cast<nanoseconds>(input.deadline->time_since_epoch()).count();
  }
  step.traceparent = Str(input.traceparent);
  return step;
}

void Consume(tasker_bytes* moved) {
  // What has no release may stand in constant memory.
  if (moved == nullptr || moved->release == nullptr) return;
  moved->release(moved);
  moved->release = nullptr;
}

void Consume(tasker_success* moved) {
  if (moved == nullptr) return;
  if (TASKER_HAS(moved, tasker_success, result)) Consume(&moved->result);
  if (TASKER_HAS(moved, tasker_success, metadata)) Consume(&moved->metadata);
  if (TASKER_HAS(moved, tasker_success, events)) Consume(&moved->events);
}

void Consume(tasker_failure* moved) {
  if (moved == nullptr) return;
  if (TASKER_HAS(moved, tasker_failure, context)) Consume(&moved->context);
  if (TASKER_HAS(moved, tasker_failure, metadata)) Consume(&moved->metadata);
}

std::optional<workflow::Outcome> TakeSuccess(tasker_success* moved, const std::string& handler,
                                             const Limits& limits) {
  std::optional<workflow::Outcome> out;
  if (moved != nullptr && moved->size >= kSuccessSize10) {
    auto& success = std::get<workflow::Succeeded>(out.emplace(workflow::Succeeded()));
    auto broken = ReadPart(moved->result, "result", Shape::kAny, handler, limits, success.result);
    if (!broken) {
      broken =
          ReadPart(moved->metadata, "metadata", Shape::kObject, handler, limits, success.metadata);
    }
    if (!broken) {
      broken =
          ReadPart(moved->events, "list of events", Shape::kArray, handler, limits, success.events);
    }
    if (broken) out = *std::move(broken);
  }
  Consume(moved);
  return out;
}

std::optional<workflow::Outcome> TakeFailure(tasker_failure* moved, const Limits& limits) {
  std::optional<workflow::Outcome> out;
  if (moved != nullptr && moved->size >= kFailureSize10) {
    const std::size_t max = limits.error_max_bytes;
    workflow::Failed failed;
    failed.retryable = moved->retryable != 0;
    failed.type = CleanText(View(moved->type), max);
    failed.message = CleanText(View(moved->message), max);
    failed.backtrace = CleanText(View(moved->backtrace), max);
    failed.error_code = CleanText(View(moved->error_code), max);
    failed.http_status = moved->http_status;
    ReadExtra(moved->context, "context", limits, failed.context, failed.message);
    ReadExtra(moved->metadata, "metadata", limits, failed.metadata, failed.message);
    if (moved->retry_after_ns > 0) {
      failed.retry_after = ToMicros(moved->retry_after_ns, kRetryAfterMax);
    }
    out = std::move(failed);
  }
  Consume(moved);
  return out;
}

Result<std::string> TakeCheckpoint(tasker_bytes* moved, const std::string& handler,
                                   const Limits& limits) {
  const std::string_view text = moved == nullptr ? std::string_view() : View(*moved);
  const std::string prefix = "the checkpoint of handler '" + handler + "' ";
  Result<std::string> out = std::string();
  if (text.size() > limits.checkpoint_max_bytes) {
    out = Invalid(prefix + "has " + std::to_string(text.size()) +
                  " bytes, more than limits.checkpoint_max_bytes = " +
                  std::to_string(limits.checkpoint_max_bytes));
  } else if (auto json = CheckJsonText(text, limits.json_depth_max); !json) {
    out = Invalid(prefix + "is no JSON: " + json.error().message);
  } else {
    *out = text;
  }
  Consume(moved);
  return out;
}

workflow::Outcome TakeYield(tasker_bytes* moved_or_null, std::int64_t resume_after_ns,
                            const std::string& handler, const Limits& limits) {
  workflow::Yielded yielded;
  yielded.resume_after = ToMicros(resume_after_ns, nanoseconds::max());
  if (moved_or_null != nullptr && !View(*moved_or_null).empty()) {
    auto text = TakeCheckpoint(moved_or_null, handler, limits);
    if (!text) return Permanent("InvalidCheckpoint", text.error().message);
    yielded.checkpoint = *std::move(text);
  }
  Consume(moved_or_null);
  return yielded;
}

tasker_status StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return TASKER_E_INVALID;
    case ErrorCode::kNotFound:
      return TASKER_E_NOT_FOUND;
    case ErrorCode::kConflict:
      return TASKER_E_WRONG_STATE;
    case ErrorCode::kUnavailable:
      return TASKER_E_BUSY;
    case ErrorCode::kTimeout:
      return TASKER_E_TIMEOUT;
    default:
      return TASKER_E_INTERNAL;
  }
}

std::string StatusName(tasker_status status) {
  static constexpr const char* kNames[] = {
      "OK",          "E_INTERNAL", "E_INVALID",     "E_UNSUPPORTED", "E_EXISTS", "E_BUSY",
      "E_CANCELLED", "E_STALE",    "E_WRONG_STATE", "E_NOT_FOUND",   "E_TIMEOUT"};
  if (status >= 0 && static_cast<std::size_t>(status) < std::size(kNames)) return kNames[status];
  return "status " + std::to_string(status);
}

}  // namespace tasker::plugin
