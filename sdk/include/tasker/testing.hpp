// SPDX-License-Identifier: MIT
//
// A fake host for unit tests of plugins: no worker, no store, no test framework. C++17.
//
//   #include <tasker/testing.hpp>
//   int main() {
//     tasker::testing::Host host(tasker_plugin_v1(), R"({"currency": "EUR"})");
//     tasker::testing::Given given;
//     given.dependencies["validate"] = R"({"total": 12.5})";
//     const auto paid = host.run("billing.charge", R"({"customer": 7})", given);
//     return paid.json()["charged"].as<double>() == 12.5 ? 0 : 1;  // an assert may be compiled out
//   }
//
// It does what tasker-host does, in the same words, and is stricter where a test wants to know:
// what the plugin did wrong is collected in defects(), and a Host that ends with defects that
// nobody asked for ends the program. The plugin is linked into the test, or loaded with Host::load.
#ifndef TASKER_TESTING_HPP
#define TASKER_TESTING_HPP

#include <dlfcn.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tasker/testing/host_table.hpp"

namespace tasker::testing {
inline namespace abi1 {

// The plugin cannot be used: its table, or its init, which said why.
class InitError : public std::runtime_error {
 public:
  InitError(const std::string& message, tasker_status why)
      : std::runtime_error(message), status(why) {}
  tasker_status status;
};

// One attempt under way. It may outlive its Host. Thread-safe.
class Attempt {
 public:
  // How it ended, once it has ended and its handler's start has returned; after the limit what is
  // known by then.
  Outcome wait(std::chrono::milliseconds limit = std::chrono::seconds(10)) const {
    std::unique_lock<std::mutex> lock(state_->record->mutex);
    state_->record->changed.wait_for(lock, limit,
                                     [&] { return state_->ended && state_->returned; });
    return state_->outcome;
  }

  // From now on heartbeats say so, and the handler's cancel is called on the control thread, if the
  // attempt has not ended. reason: TASKER_CANCEL_...
  void cancel(std::int32_t reason = TASKER_CANCEL_CANCELLED) {
    auto& record = *state_->record;
    {
      const std::lock_guard<std::mutex> lock(record.mutex);
      if (state_->ended || std::exchange(state_->cancelled, true) || !state_->begun) return;
    }
    if (state_->handler->ops.cancel == nullptr) return;
    record.control.post([state = state_, reason] {
      {
        const std::lock_guard<std::mutex> lock(state->record->mutex);
        if (state->ended) return;
      }
      state->handler->ops.cancel(state->handler->self, state->call, reason);
    });
  }

 private:
  friend class Host;
  explicit Attempt(std::shared_ptr<detail::AttemptState> state) : state_(std::move(state)) {}
  std::shared_ptr<detail::AttemptState> state_;
};

// One instance of a plugin. Thread-safe, but for stop and the hooks.
class Host {
 public:
  // Calls the plugin's init on a thread of its own, the control thread. `config`: the plugin's
  // table of worker.toml, as JSON. `file` names the plugin in messages. Throws InitError.
  explicit Host(const tasker_plugin_entry* entry, const std::string& config = "{}",
                const std::string& file = "built in")
      : record_(std::make_shared<detail::Record>()) {
    const std::string prefix = "plugin " + file + ": ";
    if (const std::string defect = detail::entry_defect(entry); !defect.empty()) {
      throw InitError(prefix + defect, TASKER_E_INVALID);
    }
    require_json(config, "the plugin's configuration");
    record_->identity = entry;
    record_->table = detail::prefix_of(*entry);
    record_->name = detail::view(entry->name);
    record_->version = detail::view(entry->version);
    record_->file = file;
    if (!residents().insert(entry).second) {
      throw InitError(prefix + "it runs already, or was left behind by an earlier Host",
                      TASKER_E_WRONG_STATE);
    }
    init(prefix, config);
  }

  // The plugin of a file, which is never unmapped. Throws InitError.
  static Host load(const std::string& path, const std::string& config = "{}") {
    void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr) {
      throw InitError("plugin " + path + " cannot be loaded: " + ::dlerror(), TASKER_E_INVALID);
    }
    void* const symbol = ::dlsym(library, "tasker_plugin_v1");
    if (symbol == nullptr) {
      throw InitError("plugin " + path + ": it exports no tasker_plugin_v1", TASKER_E_INVALID);
    }
    return Host(reinterpret_cast<decltype(&tasker_plugin_v1)>(symbol)(), config, path);
  }

  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  // stop(). Defects that neither stop nor defects() gave out go to stderr, and the program aborts:
  // no test passes over them.
  ~Host() {
    end(std::chrono::seconds(5));
    if (asked_ >= record_->defects.size()) return;
    std::fprintf(stderr, "plugin %s did what the ABI forbids:\n", record_->name.c_str());
    for (std::size_t i = asked_; i < record_->defects.size(); ++i) {
      std::fprintf(stderr, "  %s\n", record_->defects[i].c_str());
    }
    std::abort();
  }

  // Runs one attempt on a thread of its own and waits for its end. Throws std::invalid_argument
  // when there is no such handler, or a text of `context` or `given` is no JSON.
  Outcome run(std::string_view handler, const std::string& context = "{}", const Given& given = {},
              std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    return start(handler, context, given).wait(limit);
  }
  // The same without waiting, but until a runtime's handler has a place: set_capacity.
  Attempt start(std::string_view handler, const std::string& context = "{}",
                const Given& given = {});

  // The plugin's own name and version, and the ids of its handlers.
  const std::string& name() const noexcept { return record_->name; }
  const std::string& version() const noexcept { return record_->version; }
  std::vector<std::string> handlers() const {
    std::vector<std::string> ids;
    const std::lock_guard<std::mutex> lock(record_->mutex);
    for (const auto& entry : record_->by_key) ids.push_back(entry.second->id);
    return ids;
  }
  // The lines that it logged outside of attempts.
  std::vector<LogLine> log() const {
    const std::lock_guard<std::mutex> lock(record_->mutex);
    return record_->log;
  }

  // Answers the plugin's requests to the extension tasker.client/1 with a JSON text; what it throws
  // refuses the request. Without: every request is answered E_BUSY. Before the first attempt.
  void on_client(
      std::function<std::string(std::string_view operation, std::string_view request)> f) {
    record_->client = std::move(f);
  }
  // What tasker.status/1 answers. Before the first attempt.
  void set_status(std::string json) { record_->status = std::move(json); }

  // What the plugin did wrong so far, a sentence each.
  std::vector<std::string> defects() {
    const std::lock_guard<std::mutex> lock(record_->mutex);
    asked_ = record_->defects.size();
    return record_->defects;
  }

  // drain with this deadline; then, when every attempt has returned and every token is released,
  // destroy of the handlers and shutdown. What has not returned is a defect, and the plugin stays
  // as it is, as in tasker-host. Returns all defects. A second call does nothing.
  std::vector<std::string> stop(std::chrono::milliseconds limit = std::chrono::seconds(5)) {
    end(limit);
    return defects();
  }

 private:
  using Clock = detail::Clock;

  // Plugins that run in this process, or were left behind.
  static std::set<const tasker_plugin_entry*>& residents() {
    static std::set<const tasker_plugin_entry*> entries;
    return entries;
  }
  // Threads of such a plugin may use its record as long as the process lives.
  static void keep_for_ever(std::shared_ptr<detail::Record> record) {
    static auto* const kept = new std::vector<std::shared_ptr<detail::Record>>;
    kept->push_back(std::move(record));
  }
  static void require_json(std::string_view text, const std::string& noun) {
    if (Json::valid(text, detail::kDepthMax)) return;
    throw std::invalid_argument(noun + " is no JSON: " + std::string(text.substr(0, 200)));
  }

  void init(const std::string& prefix, const std::string& config);
  detail::Handler& find(std::string_view id, const Given& given) const;
  std::unique_ptr<detail::Texts> texts_of(std::string_view handler, const std::string& context,
                                          const Given& given) const;
  bool take_place(const detail::Handler& handler);
  static void call_start(detail::AttemptState& attempt, const tasker_step& step);
  static void work(const std::shared_ptr<detail::AttemptState>& attempt);
  void end(std::chrono::milliseconds limit);
  void leave_behind(bool drained);

  const std::shared_ptr<detail::Record> record_;
  std::vector<std::pair<std::shared_ptr<detail::AttemptState>, std::thread>> workers_;
  std::size_t asked_ = 0;  // Of the defects, how many were given out.
  bool stopped_ = false;
};

}  // namespace abi1
}  // namespace tasker::testing

#include "tasker/testing/host.hpp"  // IWYU pragma: export

#endif
