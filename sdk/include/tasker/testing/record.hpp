// SPDX-License-Identifier: MIT
//
// The fake host's record of one plugin, its handlers and its attempts; <tasker/testing.hpp>
// includes it. One mutex guards all that changes.
#ifndef TASKER_TESTING_RECORD_HPP
#define TASKER_TESTING_RECORD_HPP

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tasker/testing/control_thread.hpp"
#include "tasker/testing/ends.hpp"

namespace tasker::testing {
inline namespace abi1 {
namespace detail {

// What error_set fills behind a tasker_error*.
struct Error {
  tasker_status status = TASKER_OK;
  std::string message;

  tasker_error* handle() { return reinterpret_cast<tasker_error*>(this); }
  static Error* of(tasker_error* error) { return reinterpret_cast<Error*>(error); }
};

struct Handler {
  std::string id, resolver;
  std::uint32_t threads = 0, pool = 0;
  tasker_handler_ops ops{};
  void* self = nullptr;
  std::mutex starting;  // Held while a serial handler starts.
};

// What an attempt's tasker_step points at. Freed as soon as the ABI allows, so that
// AddressSanitizer sees a use after that.
struct Texts {
  Given given;
  std::string handler, context, dependencies;
  tasker_step step{};
};

struct Record;

struct AttemptState {
  std::shared_ptr<Record> record;
  Handler* handler = nullptr;
  tasker_call* call = nullptr;
  std::string name;  // For people: handler 'x' (step 'y').
  tasker_status checkpoint_answer = TASKER_OK;
  // Guarded by the record's mutex.
  std::unique_ptr<Texts> texts;
  int references = 1;
  bool ended = false, cancelled = false, begun = false, refused = false, returned = false;
  Outcome outcome;
};

// What a tasker_plugin* points at. The threads of a plugin that was left behind may still come
// here, so that then it stays for ever.
struct Record {
  enum class Phase { loading, ready, ending };

  static Record& of(tasker_plugin* plugin) { return *reinterpret_cast<Record*>(plugin); }
  tasker_plugin* handle() { return reinterpret_cast<tasker_plugin*>(this); }

  std::string name, version, file;
  tasker_plugin_entry table{};
  const tasker_plugin_entry* identity = nullptr;
  void* state = nullptr;  // The plugin's own; of the control thread.

  std::mutex mutex;
  std::condition_variable changed;
  Phase phase = Phase::loading;
  std::vector<std::unique_ptr<Handler>> handlers;  // All that were ever registered.
  std::map<std::string, Handler*> by_key;
  std::map<std::uint32_t, std::uint32_t> capacity;    // By pool.
  std::vector<std::shared_ptr<AttemptState>> inside;  // Not yet returned, or token still held.
  std::vector<LogLine> log;                           // Lines without an attempt.
  std::vector<std::string> defects;
  int buffers_out = 0;  // Replies of extensions that the plugin has not released.
  std::function<std::string(std::string_view operation, std::string_view request)> client;
  std::string status = "{}";
  ControlThread control;

  void defect(std::string sentence) {
    const std::lock_guard<std::mutex> lock(mutex);
    defects.push_back(std::move(sentence));
  }
};

inline std::string handler_key(std::string_view id, std::string_view resolver) {
  std::string key(id);
  if (!resolver.empty()) key.append(1, '\x1f').append(resolver);
  return key;
}

// The tokens of all hosts of this process. A tasker_call* is a number that is never used again, so
// that a use after the last release is seen as one. Thread-safe.
class Tokens {
 public:
  static Tokens& of_process() {
    static Tokens* const tokens = new Tokens;  // Threads that a plugin forgot may outlive main.
    return *tokens;
  }

  void add(const std::shared_ptr<AttemptState>& attempt) {
    const std::lock_guard<std::mutex> lock(mutex_);
    attempt->call = reinterpret_cast<tasker_call*>(next_);
    live_.emplace(next_, attempt);
    next_ += 16;
  }
  // NULL: no attempt has this token, or no longer.
  std::shared_ptr<AttemptState> find(const tasker_call* call) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = live_.find(reinterpret_cast<std::uintptr_t>(call));
    return found == live_.end() ? nullptr : found->second;
  }
  void remove(const tasker_call* call) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = live_.find(reinterpret_cast<std::uintptr_t>(call));
    if (found == live_.end()) return;
    released_.emplace(found->first, Released{found->second->record, found->second->name});
    live_.erase(found);
  }
  // A defect of the plugin that had this token, if there was one.
  void blame(const tasker_call* call, const std::string& what) const {
    Released had;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto found = released_.find(reinterpret_cast<std::uintptr_t>(call));
      if (found == released_.end()) return;
      had = found->second;
    }
    if (const auto record = had.record.lock()) record->defect(had.name + what);
  }

 private:
  struct Released {
    std::weak_ptr<Record> record;
    std::string name;
  };

  mutable std::mutex mutex_;
  std::uintptr_t next_ = 0x1000;
  std::map<std::uintptr_t, std::shared_ptr<AttemptState>> live_;
  std::map<std::uintptr_t, Released> released_;
};

// Frees what the attempt no longer needs; with the record's mutex.
inline void leave_if_done(AttemptState& attempt) {
  if (attempt.references > 0 || !attempt.returned) return;
  attempt.texts.reset();
  auto& inside = attempt.record->inside;
  for (auto it = inside.begin(); it != inside.end(); ++it) {
    if (it->get() != &attempt) continue;
    inside.erase(it);
    break;
  }
  attempt.record->changed.notify_all();
}

// The first end wins; false: it had ended before.
inline bool end(AttemptState& attempt, Outcome&& outcome) {
  const std::lock_guard<std::mutex> lock(attempt.record->mutex);
  if (attempt.ended) return false;
  attempt.ended = true;
  outcome.checkpoints = std::move(attempt.outcome.checkpoints);
  outcome.heartbeats = std::move(attempt.outcome.heartbeats);
  outcome.log = std::move(attempt.outcome.log);
  attempt.outcome = std::move(outcome);
  attempt.record->changed.notify_all();
  return true;
}

inline void release(const std::shared_ptr<AttemptState>& attempt) {
  const std::lock_guard<std::mutex> lock(attempt->record->mutex);
  if (attempt->references == 0 || --attempt->references > 0) return;
  Tokens::of_process().remove(attempt->call);
  if (!attempt->ended) {
    attempt->ended = true;
    attempt->outcome.kind = Outcome::Kind::failure;
    attempt->outcome.type = "tasker.dropped";
    attempt->outcome.message =
        "handler '" + attempt->handler->id + "' let go of the attempt without ending it";
    attempt->record->changed.notify_all();
  }
  leave_if_done(*attempt);
}

}  // namespace detail
}  // namespace abi1
}  // namespace tasker::testing

#endif
