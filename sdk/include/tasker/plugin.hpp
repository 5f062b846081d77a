// SPDX-License-Identifier: MIT
//
// Plugins in C++17, header-only over the C ABI of <tasker/plugin.h>. A whole plugin:
//
//   #include <tasker/plugin.hpp>
//   TASKER_PLUGIN("hello", "0.1.0", p) {
//     p.handler("hello.greet", [](tasker::Call& call) {
//       if (!call.alive(0.5, "half way")) throw tasker::RetryableError("asked to stop");
//       return tasker::JsonObject().set("hello", call.context()["name"].as<std::string>());
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

  // f(Call&), or f(const tasker_step&, Call&), runs the attempt on the host's thread, several
  // attempts at once unless the options say otherwise. It returns the result as a JSON text
  // (anything that makes a std::string_view, such as a JsonObject), or void for null. An exception
  // fails the attempt: a StepError as it says, any other one retryable. When f has ended the Call
  // itself, or moved it away to end it later, what it returns is ignored. Throws RegistrationError.
  template <typename F>
  void handler(std::string_view id, F f, Options options = {}) {
    add(id, std::move(options), [f = std::move(f)](Call& call, const tasker_step& step) mutable {
      const auto run = [&]() -> decltype(auto) {
        if constexpr (std::is_invocable_v<F&, Call&>) {
          return f(call);
        } else {
          return f(step, call);
        }
      };
      static_cast<void>(step);
      if constexpr (std::is_void_v<decltype(run())>) {
        run();
        if (call && !call.ended()) call.complete();
      } else {
        const auto& result = run();
        if (call && !call.ended()) call.complete(std::string_view(result));
      }
    });
  }

  // A handler with state: makes a T of these arguments, which lives as keep says, and registers its
  // operator() as handler does. Attempts share it, several at once unless the options say
  // otherwise. Throws RegistrationError, and what T's constructor throws.
  template <typename T, typename... Args>
  T& emplace_handler(std::string_view id, Options options, Args&&... args) {
    T& made = keep<T>(std::forward<Args>(args)...);
    handler(id, std::ref(made), std::move(options));
    return made;
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

  // The [plugin.NAME] table of worker.toml, a JSON object: as text, and to read.
  std::string_view config() const noexcept { return config_; }
  Json settings() const { return Json(config_, "settings"); }

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

}  // namespace abi1
}  // namespace tasker

#include "tasker/plugin_entry.hpp"  // IWYU pragma: export

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
