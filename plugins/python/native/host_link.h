#pragma once

#include <atomic>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <string_view>

#include <tasker/ext/client.h>
#include <tasker/ext/status.h>
#include <tasker/plugin.h>

namespace tasker::python {

// What the host answered to a call that failed; what() is its sentence.
class HostError : public std::runtime_error {
 public:
  HostError(tasker_status code, const std::string& sentence)
      : std::runtime_error(sentence), status(code) {}
  tasker_status status;
};

// No host is attached (any more).
class NoHost final : public HostError {
 public:
  NoHost();
};

// The way to the host while this plugin lives; afterwards it reaches nobody. Thread-safe, and none
// of it may be called with the GIL: the host takes locks, and Client waits for the store.
class HostLink final {
 public:
  void Attach(const tasker_host* host, tasker_plugin* plugin);
  // Returns when no call is under way; those that come meanwhile reach nobody.
  void Detach();
  bool attached() const { return attached_; }

  // Valid while the process lives, once there was an Attach: the functions that take a token alone.
  const tasker_host& host() const { return *host_; }

  void SetCapacity(std::uint32_t pool, std::uint32_t free);
  // False: no host, so that the caller writes the line itself.
  bool Log(tasker_call* call_or_null, std::int32_t level, std::string_view message,
           std::string_view fields);

  // Throw HostError, without a host NoHost; Register: E_EXISTS for an id that is taken.
  void Register(const tasker_handler& handler);
  bool Unregister(std::string_view id);
  std::string Client(std::string_view operation, std::string_view request);
  // "{}" without a host.
  std::string Status();

 private:
  // Owns nothing without a plugin. Who comes after Detach does not get in before it: the lock
  // itself prefers those who share it.
  std::shared_lock<std::shared_mutex> Reach() const;

  const tasker_host* host_ = nullptr;
  std::atomic<bool> attached_{false};
  mutable std::shared_mutex mu_;  // of the plugin's handle: held while the host is called with it
  tasker_plugin* plugin_ = nullptr;
};

}  // namespace tasker::python
