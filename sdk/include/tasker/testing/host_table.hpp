// SPDX-License-Identifier: MIT
//
// The functions that a plugin calls in the fake host; <tasker/testing.hpp> includes it. Any thread
// may call them.
#ifndef TASKER_TESTING_HOST_TABLE_HPP
#define TASKER_TESTING_HOST_TABLE_HPP

#include <algorithm>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tasker/ext/client.h"
#include "tasker/ext/status.h"
#include "tasker/testing/registration.hpp"
#include "tasker/version.h"

namespace tasker::testing {
inline namespace abi1 {
namespace detail {

struct HostTable {
  static void log(tasker_plugin* plugin, tasker_call* call, std::int32_t level, tasker_str message,
                  tasker_str fields) noexcept {
    if (plugin == nullptr) return;
    Record& record = Record::of(plugin);
    const std::string given(view(fields));
    const auto attempt = call == nullptr ? nullptr : Tokens::of_process().find(call);
    LogLine line{std::clamp<std::int32_t>(level, TASKER_LOG_TRACE, TASKER_LOG_ERROR),
                 clean(view(message), kErrorMaxBytes), given};
    if (!given.empty() && (!Json::valid(given) || first_of(given) != '{')) {
      record.defect("a log line has fields that are no JSON object: " + line.message);
    }
    const std::lock_guard<std::mutex> lock(record.mutex);
    (attempt ? attempt->outcome.log : record.log).push_back(std::move(line));
  }
  static int log_enabled(tasker_plugin*, std::int32_t) noexcept { return 1; }
  static void error_set(tasker_error* error, tasker_status status, tasker_str message) noexcept {
    refuse(error, status, clean(view(message), kErrorMaxBytes));
  }

  static tasker_status register_handler(tasker_plugin* plugin, const tasker_handler* handler,
                                        tasker_error* error) noexcept {
    return plugin == nullptr ? TASKER_E_INVALID : add_handler(Record::of(plugin), handler, error);
  }
  static tasker_status unregister_handler(tasker_plugin* plugin, tasker_str id,
                                          tasker_error* error) noexcept {
    return plugin == nullptr ? TASKER_E_INVALID
                             : remove_handler(Record::of(plugin), view(id), error);
  }
  static void set_capacity(tasker_plugin* plugin, std::uint32_t pool, std::uint32_t free) noexcept {
    if (plugin == nullptr) return;
    Record& record = Record::of(plugin);
    const std::lock_guard<std::mutex> lock(record.mutex);
    if (record.capacity.count(pool) == 0 && record.capacity.size() == kPoolsMax) return;
    record.capacity[pool] = free;
    record.changed.notify_all();
  }

  // `take` reads the plugin's struct; `used` releases what it moved, which happens also when nobody
  // wants it.
  template <typename Take, typename Consume>
  static tasker_status finish(tasker_call* call, const char* function, Take&& take,
                              Consume&& used) {
    const auto attempt = Tokens::of_process().find(call);
    std::optional<Outcome> outcome;
    if (attempt) outcome = take(attempt->handler->id);
    const bool forgot = used();
    if (!attempt) {
      Tokens::of_process().blame(call, std::string(": its token was used by ") + function +
                                           " after its last release; the host answers E_STALE");
      return TASKER_E_STALE;
    }
    Record& record = *attempt->record;
    if (forgot) {
      record.defect(attempt->name +
                    ": the release of a moved tasker_bytes did not set self->release to NULL");
    }
    if (!outcome) return TASKER_E_INVALID;
    if (end(*attempt, *std::move(outcome))) return TASKER_OK;
    record.defect(attempt->name + " was ended a second time, by " + function +
                  "; the host answers E_STALE, and the first end stays");
    return TASKER_E_STALE;
  }
  static tasker_status complete(tasker_call* call, tasker_success* moved) noexcept {
    return finish(
        call, "complete", [&](const std::string& handler) { return read_success(moved, handler); },
        [&] { return consume(moved); });
  }
  // The ABI takes the struct as constant, for those without bytes to move.
  static tasker_status fail(tasker_call* call, const tasker_failure* failure) noexcept {
    return finish(
        call, "fail", [&](const std::string&) { return read_failure(failure); },
        [&] { return consume(const_cast<tasker_failure*>(failure)); });
  }
  static tasker_status yield(tasker_call* call, tasker_bytes* moved,
                             std::int64_t resume_after_ns) noexcept {
    return finish(
        call, "yield",
        [&](const std::string& handler) {
          return std::optional(read_yield(moved, resume_after_ns, handler));
        },
        [&] { return consume(moved); });
  }
  static tasker_status hand_back(tasker_call* call) noexcept {
    return finish(
        call, "hand_back",
        [](const std::string&) {
          Outcome back;
          back.kind = Outcome::Kind::hand_back;
          return std::optional(std::move(back));
        },
        [] { return false; });
  }

  static tasker_status checkpoint(tasker_call* call, tasker_bytes* moved) noexcept {
    const std::string text(moved == nullptr ? std::string_view() : view(*moved));
    consume(moved);
    const auto attempt = Tokens::of_process().find(call);
    if (!attempt) return TASKER_E_STALE;
    const std::string defect = checkpoint_defect(text, attempt->handler->id);
    const std::lock_guard<std::mutex> lock(attempt->record->mutex);
    if (attempt->ended) return TASKER_E_STALE;
    if (!defect.empty()) {
      attempt->outcome.log.push_back({TASKER_LOG_WARNING, defect, ""});
      return TASKER_E_INVALID;
    }
    if (attempt->checkpoint_answer == TASKER_OK) attempt->outcome.checkpoints.push_back(text);
    return attempt->checkpoint_answer;
  }
  static tasker_status heartbeat(tasker_call* call, double progress, tasker_str note) noexcept {
    const auto attempt = Tokens::of_process().find(call);
    if (!attempt) return TASKER_E_STALE;
    const std::lock_guard<std::mutex> lock(attempt->record->mutex);
    if (attempt->ended) return TASKER_E_STALE;
    attempt->outcome.heartbeats.push_back({std::min(progress, 1.0), clean(view(note), 256)});
    return attempt->cancelled ? TASKER_E_CANCELLED : TASKER_OK;
  }

  static void retain(tasker_call* call) noexcept {
    const auto attempt = Tokens::of_process().find(call);
    if (!attempt) return;
    const std::lock_guard<std::mutex> lock(attempt->record->mutex);
    if (attempt->references > 0) ++attempt->references;
  }
  static void release(tasker_call* call) noexcept {
    if (const auto attempt = Tokens::of_process().find(call)) {
      detail::release(attempt);
    } else {
      Tokens::of_process().blame(call, ": its token was released once too often");
    }
  }

  static tasker_error* error_new() noexcept { return (new Error)->handle(); }
  static tasker_str error_message(const tasker_error* error) noexcept {
    if (error == nullptr) return {};
    return str(reinterpret_cast<const Error*>(error)->message);
  }
  static void error_free(tasker_error* error) noexcept { delete Error::of(error); }

  // A reply that the plugin has to release.
  struct Reply {
    Record& record;
    std::string text;
  };
  static void give(Record& record, std::string text, tasker_bytes* reply) {
    auto* const owned = new Reply{record, std::move(text)};
    *reply = {owned->text.data(), owned->text.size(),
              [](tasker_bytes* self) {
                const std::unique_ptr<Reply> back(static_cast<Reply*>(self->owner));
                const std::lock_guard<std::mutex> lock(back->record.mutex);
                --back->record.buffers_out;
                *self = {};
              },
              owned};
    const std::lock_guard<std::mutex> lock(record.mutex);
    ++record.buffers_out;
  }
  static tasker_status call_client(tasker_plugin* plugin, tasker_str operation, tasker_str request,
                                   tasker_bytes* reply, tasker_error* error) noexcept {
    if (plugin == nullptr || reply == nullptr) return TASKER_E_INVALID;
    *reply = {};
    Record& record = Record::of(plugin);
    if (!record.client) {
      return refuse(error, TASKER_E_BUSY, "this host has no client for plugins");
    }
    try {
      give(record, record.client(view(operation), view(request)), reply);
      return TASKER_OK;
    } catch (const std::exception& refused) {
      return refuse(error, TASKER_E_INVALID, refused.what());
    }
  }
  static tasker_status ask_status(tasker_plugin* plugin, tasker_bytes* reply) noexcept {
    if (plugin == nullptr || reply == nullptr) return TASKER_E_INVALID;
    give(Record::of(plugin), Record::of(plugin).status, reply);
    return TASKER_OK;
  }
  static const void* extension(tasker_plugin*, const char* id) noexcept {
    static const tasker_client client = {sizeof client, 0, &call_client};
    static const tasker_status_ext status = {sizeof status, 0, &ask_status};
    const std::string_view wanted = id == nullptr ? "" : id;
    if (wanted == TASKER_EXT_CLIENT) return &client;
    if (wanted == TASKER_EXT_STATUS) return &status;
    return nullptr;
  }

  static const tasker_host& table() {
    static const tasker_host host = {sizeof(tasker_host),
                                     TASKER_ABI_MINOR,
                                     str("tasker-testing"),
                                     str(TASKER_VERSION),
                                     &log,
                                     &log_enabled,
                                     &error_set,
                                     &register_handler,
                                     &unregister_handler,
                                     &set_capacity,
                                     &extension,
                                     &complete,
                                     &fail,
                                     &yield,
                                     &checkpoint,
                                     &heartbeat,
                                     &retain,
                                     &HostTable::release,
                                     &hand_back,
                                     &error_new,
                                     &error_message,
                                     &error_free};
    return host;
  }
};

}  // namespace detail
}  // namespace abi1
}  // namespace tasker::testing

#endif
