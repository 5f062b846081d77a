// SPDX-License-Identifier: MIT
//
// What the host calls of a plugin in C++; <tasker/plugin.hpp> includes it.
#ifndef TASKER_PLUGIN_ENTRY_HPP
#define TASKER_PLUGIN_ENTRY_HPP

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "tasker/plugin.hpp"

namespace tasker {
inline namespace abi1 {
namespace detail {

// The functions that the host calls: noexcept, and nothing is thrown through them.
struct Entry {
  // The table that tasker_plugin_v1 returns; Setup is TASKER_PLUGIN's body. name and version:
  // literals.
  template <void (*Setup)(Plugin&)>
  static tasker_plugin_entry table(std::string_view name, std::string_view version) noexcept {
    tasker_plugin_entry entry{};
    entry.size = sizeof entry;
    entry.abi_minor = TASKER_ABI_MINOR;
    entry.name = str(name);
    entry.version = str(version);
    entry.init = &Entry::init<Setup>;
    entry.drain = &Entry::drain;
    entry.shutdown = &Entry::shutdown;
    return entry;
  }

  template <void (*Setup)(Plugin&)>
  static tasker_status init(const tasker_host* host, tasker_plugin* record, tasker_bytes config,
                            void** state, tasker_error* error) noexcept {
    std::unique_ptr<Plugin> plugin(new Plugin(host, record, view(config), error));
    tasker_status status = TASKER_OK;
    try {
      Setup(*plugin);
    } catch (const RegistrationError& refused) {
      status = refused.status;  // error has the host's own words
    } catch (...) {
      status = TASKER_E_INTERNAL;
      host->error_set(error, status, str(thrown()));
    }
    plugin->init_error_ = nullptr;
    if (status == TASKER_OK) *state = plugin.release();
    return status;
  }

  static tasker_status drain(void* state, std::int64_t deadline_ns) noexcept {
    Plugin& plugin = *static_cast<Plugin*>(state);
    if (!plugin.drain_) return TASKER_OK;
    using Clock = std::chrono::steady_clock;
    const Clock::time_point deadline(
        std::chrono::duration_cast<Clock::duration>(std::chrono::nanoseconds(deadline_ns)));
    return plugin.guard("drain", [&] { plugin.drain_(deadline); }) ? TASKER_OK : TASKER_E_INTERNAL;
  }

  static void shutdown(void* state) noexcept {
    const std::unique_ptr<Plugin> plugin(static_cast<Plugin*>(state));
    if (plugin->shutdown_) plugin->guard("shutdown", plugin->shutdown_);
  }

  static tasker_status start(void* self, const tasker_step* step, tasker_call* token,
                             tasker_error*) noexcept {
    auto& handler = *static_cast<Plugin::Handler*>(self);
    Call call(handler.plugin.host_, handler.plugin.record_, step, token);
    try {
      handler.run(call, *step);
    } catch (const StepError& error) {
      fail(handler.plugin, call, error);
    } catch (...) {
      RetryableError error(thrown());
      error.type = "Exception";
      fail(handler.plugin, call, error);
    }
    return TASKER_OK;
  }

  static void cancel(void* self, tasker_call* token, std::int32_t reason) noexcept {
    auto& handler = *static_cast<Plugin::Handler*>(self);
    handler.plugin.guard("cancel", [&] { handler.options.cancel(token, reason); });
  }

 private:
  static void fail(Plugin& plugin, Call& call, const StepError& error) noexcept {
    if (call && !call.ended() && call.fail(error) == TASKER_OK) return;
    plugin.log(TASKER_LOG_WARNING,
               std::string("a handler threw after its attempt had ended: ") + error.what());
  }
};

}  // namespace detail

inline void Plugin::add_to_host(std::string_view id, Handler& handler) {
  handler.ops.size = sizeof handler.ops;
  handler.ops.start = &detail::Entry::start;
  if (handler.options.cancel) handler.ops.cancel = &detail::Entry::cancel;
  tasker_handler table{};
  table.size = sizeof table;
  table.threads = handler.options.threads;
  table.caps = handler.options.caps;
  table.max_concurrency = handler.options.max_concurrency;
  table.pool = handler.options.pool;
  table.id = detail::str(id);
  table.version = detail::str(handler.options.version);
  table.description = detail::str(handler.options.description);
  table.config_schema = detail::str(handler.options.config_schema);
  table.ops = &handler.ops;
  table.self = &handler;
  tasker_error* const error = std::this_thread::get_id() == init_thread_ ? init_error_ : nullptr;
  const tasker_status status = host_->register_handler(record_, &table, error);
  if (status != TASKER_OK) {
    throw RegistrationError(
        "handler '" + std::string(id) + "' was refused, status " + std::to_string(status), status);
  }
}

}  // namespace abi1
}  // namespace tasker

#endif
