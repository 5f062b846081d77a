// SPDX-License-Identifier: MIT
//
// Plugins in C++17, header-only over the C ABI of <tasker/plugin.h>. A whole plugin:
//
//   #include <tasker/plugin.hpp>
//   TASKER_PLUGIN("hello", "0.1.0", p) {
//     p.handler("hello.greet", [](const tasker_step& step, tasker::Call& call) {
//       if (!call.alive(0.5, "half way")) throw tasker::PermanentError("cancelled");
//       return "{\"echo\":" + std::string(tasker::view(step.context)) + "}";
//     });
//   }
//
// Compile it with -shared -fPIC -fvisibility=hidden, or with CMake's tasker_add_plugin. Nothing of
// C++ crosses the ABI: every function that the host calls is noexcept and catches everything.
#ifndef TASKER_PLUGIN_HPP
#define TASKER_PLUGIN_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "tasker/call.hpp"

namespace tasker {
inline namespace abi1 {

// A handler could not be registered. Escaping from TASKER_PLUGIN's body, it refuses the plugin with
// the host's reason.
class RegistrationError : public std::runtime_error {
 public:
  RegistrationError(const std::string& message, tasker_status why)
      : std::runtime_error(message), status(why) {}
  tasker_status status;
};

// What a handler may say of itself.
struct Options {
  std::uint32_t threads = TASKER_THREADS_CONCURRENT;  // TASKER_THREADS_...
  std::uint32_t caps = 0;                             // TASKER_CAP_...
  std::uint32_t max_concurrency = 0;  // Attempts at once on this host; 0: no limit of its own.
  std::uint32_t pool = 0;             // Of TASKER_THREADS_RUNTIME: which set_capacity pool.
  std::string version = {}, description = {};
  std::string config_schema = {};  // JSON Schema of the template's handler.initialization.
  // Asks the attempt to stop; may race its end, must not block. alive() says the same without it.
  // [control]
  std::function<void(const tasker_call* token, std::int32_t reason)> cancel = {};
};

// One instance of this plugin: made before TASKER_PLUGIN's body, destroyed in the host's shutdown
// call. Thread-safe, but for keep and the hooks, which belong in the body.
class Plugin {
 public:
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  ~Plugin() {
    handlers_.clear();
    while (!kept_.empty()) kept_.pop_back();
  }

  // f(const tasker_step&, Call&) runs the attempt on the host's thread. It returns the result as a
  // JSON text (anything that makes a std::string_view), or void for null. An exception fails the
  // attempt. When f has ended the Call itself, or moved it away to end it later, what it returns is
  // ignored. Throws RegistrationError.
  template <typename F>
  void handler(std::string_view id, F f, Options options = {}) {
    add(id, std::move(options), [f = std::move(f)](Call& call, const tasker_step& step) mutable {
      if constexpr (std::is_void_v<std::invoke_result_t<F&, const tasker_step&, Call&>>) {
        f(step, call);
        if (call && !call.ended()) call.complete();
      } else {
        const auto& result = f(step, call);
        if (call && !call.ended()) call.complete(std::string_view(result));
      }
    });
  }

  // f(Call) begins the attempt and returns soon; who has the Call ends it, from any thread. An
  // exception of f fails the attempt, if it has not ended. Throws RegistrationError.
  template <typename F>
  void handler_async(std::string_view id, F f, Options options = {}) {
    add(id, std::move(options), [f = std::move(f)](Call& call, const tasker_step&) mutable {
      Call second = call.another();
      try {
        f(std::move(call));
      } catch (...) {
        // The moved Call may be gone with the stack of f; the attempt fails as the exception says,
        // not as dropped.
        call = std::move(second);
        throw;
      }
    });
  }

  // Nothing new is started for this id; what runs goes on.
  tasker_status unregister_handler(std::string_view id) noexcept {
    return host_->unregister_handler(record_, detail::str(id), nullptr);
  }

  // The [plugin.NAME] table of worker.toml, a JSON object.
  std::string_view config() const noexcept { return config_; }

  // Makes an object that lives as long as this plugin. Destroyed after the handlers, the last one
  // first; it joins its threads.
  template <typename T, typename... Args>
  T& keep(Args&&... args) {
    kept_.push_back({nullptr, [](void* object) { delete static_cast<T*>(object); }});
    kept_.back().reset(new T(std::forward<Args>(args)...));
    return *static_cast<T*>(kept_.back().get());
  }

  // f(std::chrono::steady_clock::time_point deadline): no attempt is started any more; end what
  // runs by then. [control]
  void on_drain(std::function<void(std::chrono::steady_clock::time_point)> f) {
    drain_ = std::move(f);
  }
  // Before the handlers and the kept objects are destroyed. [control]
  void on_shutdown(std::function<void()> f) { shutdown_ = std::move(f); }

  // Of TASKER_THREADS_RUNTIME handlers: how many more attempts this pool takes now.
  void set_capacity(std::uint32_t pool, std::uint32_t free) noexcept {
    host_->set_capacity(record_, pool, free);
  }
  // A table of the host's by id, or NULL.
  const void* extension(const char* id) const noexcept { return host_->extension(record_, id); }
  bool log_enabled(std::int32_t level) const noexcept {
    return host_->log_enabled(record_, level) != 0;
  }
  void log(std::int32_t level, std::string_view message,
           std::string_view fields = {}) const noexcept {
    host_->log(record_, nullptr, level, detail::str(message), detail::str(fields));
  }
  // For what this class does not wrap.
  const tasker_host& host() const noexcept { return *host_; }
  tasker_plugin* record() const noexcept { return record_; }

 private:
  friend struct detail::Entry;

  struct Handler {
    Handler(Plugin& owner, Options&& given) : plugin(owner), options(std::move(given)) {}
    virtual ~Handler() = default;
    virtual void run(Call& call, const tasker_step& step) = 0;

    Plugin& plugin;
    const Options options;
    tasker_handler_ops ops{};
  };
  template <typename F>
  struct Body final : Handler {
    Body(Plugin& owner, Options&& given, F&& run_it)
        : Handler(owner, std::move(given)), f(std::move(run_it)) {}
    void run(Call& call, const tasker_step& step) override { f(call, step); }
    F f;
  };

  Plugin(const tasker_host* host, tasker_plugin* record, std::string_view config,
         tasker_error* error)
      : host_(host),
        record_(record),
        config_(config),
        init_thread_(std::this_thread::get_id()),
        init_error_(error) {}

  template <typename F>
  void add(std::string_view id, Options&& options, F&& f) {
    auto handler = std::make_unique<Body<F>>(*this, std::move(options), std::move(f));
    Handler& borrowed = *handler;
    {
      // Kept before it is registered: a step may start at once.
      const std::lock_guard<std::mutex> lock(mutex_);
      handlers_.push_back(std::move(handler));
    }
    add_to_host(id, borrowed);
  }
  void add_to_host(std::string_view id, Handler& handler);

  // Runs a hook; false when it threw, which is logged.
  template <typename Hook>
  bool guard(const char* noun, Hook&& hook) noexcept {
    try {
      hook();
      return true;
    } catch (...) {
      log(TASKER_LOG_ERROR, noun + (" threw an exception: " + detail::thrown()));
      return false;
    }
  }

  const tasker_host* const host_;
  tasker_plugin* const record_;
  const std::string config_;
  const std::thread::id init_thread_;
  tasker_error* init_error_;  // of init's thread, while init runs
  std::function<void(std::chrono::steady_clock::time_point)> drain_;
  std::function<void()> shutdown_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Handler>> handlers_;  // guarded by mutex_
  std::vector<std::unique_ptr<void, void (*)(void*)>> kept_;
};

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

// Defines the plugin: its exported entry and, in the braces that follow, what sets it up. `p` names
// the tasker::Plugin&. An exception in the body refuses the plugin. [control]
#define TASKER_PLUGIN(name, version, p)                                        \
  static const tasker_plugin_entry& tasker_plugin_entry_of_library();          \
  extern "C" TASKER_EXPORT const tasker_plugin_entry* tasker_plugin_v1(void) { \
    return &tasker_plugin_entry_of_library();                                  \
  }                                                                            \
  TASKER_PLUGIN_ENTRY(static, tasker_plugin_entry_of_library, name, version, p)

// The same for a plugin that is linked into a host: defines `const tasker_plugin_entry&
// function()`.
#define TASKER_PLUGIN_STATIC(function, name, version, p) \
  TASKER_PLUGIN_ENTRY(extern, function, name, version, p)

#define TASKER_PLUGIN_ENTRY(linkage, function, name, version, p)                             \
  static void function##_setup(::tasker::Plugin& p);                                         \
  linkage const tasker_plugin_entry& function();                                             \
  const tasker_plugin_entry& function() {                                                    \
    using ::tasker::detail::Entry;                                                           \
    static const tasker_plugin_entry entry = Entry::table<&function##_setup>(name, version); \
    return entry;                                                                            \
  }                                                                                          \
  static void function##_setup(::tasker::Plugin& p)

#endif
