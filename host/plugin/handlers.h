#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tasker/plugin.h>

#include "base/mutex.h"
#include "base/result.h"
#include "plugin/instance.h"

namespace tasker::plugin {

// How many more steps one of a runtime's pools takes now.
struct Pool {
  std::atomic<std::uint32_t> free{0};
};

// One registration of one plugin. It lives until the plugin ends, also when it was unregistered:
// attempts may still run.
struct Handler {
  HandlerInfo info;
  tasker_handler_ops ops{};
  void* self = nullptr;
  Pool* pool = nullptr;  // of a runtime's handler

  // An attempt of a serial handler that waits for the start() before it.
  struct Waiting {
    tasker_call* call;
    const tasker_step* step;
  };
  Mutex mu;
  bool starting GUARDED_BY(mu) = false;
  std::deque<Waiting> waiting GUARDED_BY(mu);
};

// Checks and copies what a plugin registers; kInvalid says what is wrong.
Result<std::unique_ptr<Handler>> ReadHandler(const tasker_handler* handler);

// The handlers and pools of one plugin. Thread-safe; what it returns stays valid as long as the
// table.
class HandlerTable final {
 public:
  // A key is HandlerInfo::Key(). Null: it is taken.
  Handler* Add(std::unique_ptr<Handler> handler);
  // Takes the key away; the handler stays in All.
  bool Remove(std::string_view key);
  // Undoes an Add that the registry refused: nobody may have found the handler yet.
  void Discard(const Handler& handler);
  Handler* Find(std::string_view key) const;
  std::vector<Handler*> All() const;
  std::vector<HandlerInfo> Infos() const;  // of those that have their key

  // The pool of this number, made at first use; null beyond kPoolsMax.
  Pool* PoolOf(std::uint32_t number);
  std::uint32_t FreeOf(std::uint32_t number) const;

  static constexpr std::size_t kPoolsMax = 1024;

 private:
  mutable Mutex mu_;
  std::vector<std::unique_ptr<Handler>> handlers_ GUARDED_BY(mu_);
  std::map<std::string, Handler*, std::less<>> ids_ GUARDED_BY(mu_);  // by key
  std::map<std::uint32_t, Pool> pools_ GUARDED_BY(mu_);
};

}  // namespace tasker::plugin
