#include "plugin/host_table.h"

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <tasker/ext/client.h>
#include <tasker/ext/status.h>
#include <tasker/version.h>

#include "log/log.h"
#include "plugin/abi.h"
#include "plugin/log_line.h"
#include "plugin/record.h"
#include "plugin/text.h"
#include "plugin/tokens.h"

// What a plugin calls, on any thread. Memory that runs out ends the process: nothing may be thrown
// into a plugin.
namespace tasker::plugin {
namespace {

constexpr std::size_t kErrorMaxBytes = std::size_t{64} << 10;

TokenSlab::Pin Find(const tasker_call* call) { return TokenSlab::OfProcess().Find(call); }

void Log(tasker_plugin* plugin, tasker_call* call, std::int32_t level, tasker_str message,
         tasker_str fields) noexcept {
  if (plugin == nullptr) return;
  const Record& record = Record::Of(plugin);
  const TokenSlab::Pin pin = call == nullptr ? TokenSlab::Pin() : Find(call);
  WriteLogLine(record.name(), pin ? &pin.input() : nullptr, level, View(message), View(fields));
}

int LogEnabled(tasker_plugin*, std::int32_t level) noexcept {
  return LogLineEnabled(level) ? 1 : 0;
}

void ErrorSet(tasker_error* error, tasker_status status, tasker_str message) noexcept {
  if (error != nullptr) *error = {status, CleanText(View(message), kErrorMaxBytes)};
}

tasker_status RegisterHandler(tasker_plugin* plugin, const tasker_handler* handler,
                              tasker_error* error) noexcept {
  return plugin == nullptr ? TASKER_E_INVALID : Record::Of(plugin).Register(handler, error);
}

tasker_status UnregisterHandler(tasker_plugin* plugin, tasker_str id,
                                tasker_error* error) noexcept {
  return plugin == nullptr ? TASKER_E_INVALID : Record::Of(plugin).Unregister(View(id), error);
}

void SetCapacity(tasker_plugin* plugin, std::uint32_t pool, std::uint32_t free) noexcept {
  if (plugin != nullptr) Record::Of(plugin).SetCapacity(pool, free);
}

// A text that the plugin owns until it releases it.
struct Reply {
  std::string text;
  std::shared_ptr<std::atomic<std::size_t>> held;  // Record::buffers
};

void Give(Record& record, std::string text, tasker_bytes* reply) {
  auto owned = std::make_unique<Reply>(Reply{std::move(text), record.buffers()});
  ++*owned->held;
  reply->data = owned->text.data();
  reply->len = owned->text.size();
  reply->owner = owned.release();
  reply->release = [](tasker_bytes* self) {
    const std::unique_ptr<Reply> released(static_cast<Reply*>(self->owner));
    --*released->held;
    *self = {};
  };
}

tasker_status CallClient(tasker_plugin* plugin, tasker_str operation, tasker_str request,
                         tasker_bytes* reply, tasker_error* error) noexcept {
  if (plugin == nullptr || reply == nullptr) return TASKER_E_INVALID;
  *reply = {};
  auto answer = Record::Of(plugin).uplink().Client(View(operation), View(request));
  if (answer) {
    Give(Record::Of(plugin), *std::move(answer), reply);
    return TASKER_OK;
  }
  const tasker_status status = StatusOf(answer.error().code);
  if (error != nullptr) *error = {status, answer.error().message};
  return status;
}

tasker_status AskStatus(tasker_plugin* plugin, tasker_bytes* reply) noexcept {
  if (plugin == nullptr || reply == nullptr) return TASKER_E_INVALID;
  Give(Record::Of(plugin), Record::Of(plugin).uplink().HostStatus(), reply);
  return TASKER_OK;
}

constexpr tasker_client kClient = {sizeof(tasker_client), 0, &CallClient};
constexpr tasker_status_ext kStatus = {sizeof(tasker_status_ext), 0, &AskStatus};

const void* Extension(tasker_plugin*, const char* id) noexcept {
  const std::string_view wanted = id == nullptr ? "" : id;
  if (wanted == TASKER_EXT_CLIENT) return &kClient;
  if (wanted == TASKER_EXT_STATUS) return &kStatus;
  return nullptr;
}

// The end of an attempt from what Take makes of the plugin's struct; Take consumes it also when
// nobody wants it.
template <typename Take>
tasker_status End(tasker_call* call, const Take& take) {
  TokenSlab::Pin pin = Find(call);
  if (!pin || pin.ended()) {
    TokenSlab::OfProcess().CountLateEnd();
    static_cast<void>(take(std::string(), Limits()));
    return TASKER_E_STALE;
  }
  std::optional<workflow::Outcome> outcome = take(pin.input().handler, pin.owner()->limits());
  if (!outcome) return TASKER_E_INVALID;
  return pin.End(*std::move(outcome)) ? TASKER_OK : TASKER_E_STALE;
}

tasker_status Complete(tasker_call* call, tasker_success* moved) noexcept {
  return End(call, [&](const std::string& handler, const Limits& limits) {
    return TakeSuccess(moved, handler, limits);
  });
}

// The ABI takes the struct as constant, for those without bytes to move.
tasker_status Fail(tasker_call* call, const tasker_failure* failure) noexcept {
  return End(call, [&](const std::string&, const Limits& limits) {
    return TakeFailure(const_cast<tasker_failure*>(failure), limits);
  });
}

tasker_status Yield(tasker_call* call, tasker_bytes* moved, std::int64_t resume_after_ns) noexcept {
  return End(call, [&](const std::string& handler, const Limits& limits) {
    return std::optional(TakeYield(moved, resume_after_ns, handler, limits));
  });
}

tasker_status Checkpoint(tasker_call* call, tasker_bytes* moved) noexcept {
  TokenSlab::Pin pin = Find(call);
  if (!pin || pin.ended()) {
    Consume(moved);
    return TASKER_E_STALE;
  }
  Result<std::string> body = TakeCheckpoint(moved, pin.input().handler, pin.owner()->limits());
  if (!body) {
    log::Warning("plugin", body.error().message, AttemptFields(pin.input()));
    return TASKER_E_INVALID;
  }
  const Status saved = pin.owner()->Checkpoint(pin.input(), *std::move(body));
  if (saved) return TASKER_OK;
  switch (saved.error().code) {
    case ErrorCode::kConflict:
      return TASKER_E_STALE;
    case ErrorCode::kUnavailable:
      return TASKER_E_BUSY;
    case ErrorCode::kInvalid:
      return TASKER_E_INVALID;
    default:
      log::Error("plugin", "a checkpoint was not saved: " + saved.error().message,
                 AttemptFields(pin.input()));
      return TASKER_E_INTERNAL;
  }
}

tasker_status Heartbeat(tasker_call* call, double progress, tasker_str note) noexcept {
  TokenSlab::Pin pin = Find(call);
  if (!pin || pin.ended()) return TASKER_E_STALE;
  pin.SetProgress(progress, View(note));
  return pin.cancelled() ? TASKER_E_CANCELLED : TASKER_OK;
}

void Retain(tasker_call* call) noexcept { TokenSlab::OfProcess().Retain(call); }
void Release(tasker_call* call) noexcept { TokenSlab::OfProcess().Release(call); }

tasker_status HandBack(tasker_call* call) noexcept {
  return End(call, [](const std::string&, const Limits&) {
    return std::optional<workflow::Outcome>(workflow::HandedBack{});
  });
}

tasker_error* ErrorNew() noexcept { return std::make_unique<tasker_error>().release(); }
tasker_str ErrorMessage(const tasker_error* error) noexcept {
  if (error == nullptr) return {};
  return {error->message.data(), error->message.size()};
}
void ErrorFree(tasker_error* error) noexcept { std::unique_ptr<tasker_error>(error).reset(); }

constexpr char kName[] = "tasker-host";

constexpr tasker_host kTable = {
    sizeof(tasker_host),
    TASKER_ABI_MINOR,
    {kName, sizeof kName - 1},
    {TASKER_VERSION, sizeof TASKER_VERSION - 1},
    &Log,
    &LogEnabled,
    &ErrorSet,
    &RegisterHandler,
    &UnregisterHandler,
    &SetCapacity,
    &Extension,
    &Complete,
    &Fail,
    &Yield,
    &Checkpoint,
    &Heartbeat,
    &Retain,
    &Release,
    &HandBack,
    &ErrorNew,
    &ErrorMessage,
    &ErrorFree,
};

}  // namespace

const tasker_host& HostTable() { return kTable; }

}  // namespace tasker::plugin
