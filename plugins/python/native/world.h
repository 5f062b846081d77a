#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tasker::python {

// How a Python program wants its host; empty: as the configuration file or the default says.
struct Settings {
  std::string worker_id, ns, config_path, log_level;
  struct Override {
    std::string key;                // of worker.toml, dotted
    std::vector<std::string> list;  // of a list
    std::string value;              // else
    bool is_list = false;
  };
  std::vector<Override> overrides;
};

struct Started {
  bool already_running = false;
  std::string worker_id, handle_id;
};

// At the deadline handlers still ran; what() names them. The host has stopped all the same.
class StillRunning : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What differs between the two builds of these sources: the extension module contains the host and
// starts it, the plugin is started by tasker-host and embeds the interpreter. Each build has one
// implementation. Thread-safe. Errors are exceptions whose what() is a sentence for people;
// std::invalid_argument where the input is wrong.
class World {
 public:
  static World& OfProcess();
  virtual ~World() = default;

  virtual const char* name() const = 0;  // "application" or "embedded"

  // None of these is called with the GIL, but for running and forked.
  virtual Started Start(const Settings& settings) = 0;
  // False: no host ran. drain: instead of the configured time.
  virtual bool Stop(std::optional<std::chrono::milliseconds> drain) = 0;
  virtual bool running() const = 0;
  // This process was forked from one that had the store open: nothing of it may be touched.
  virtual bool forked() const = 0;
  // Where no host of this process answers: the store as a client, opened where it is not yet.
  // settings: null for the last that were said here or to Start.
  virtual std::string Client(std::string_view operation, std::string_view request,
                             const Settings* settings) = 0;
  // A line for the log, where there is no host to write it. level: TASKER_LOG_...
  virtual void Log(int level, const std::string& message,
                   const std::map<std::string, std::string>& fields) = 0;
  // Throws in such a process.
  void RefuseFork() const;
  // The program ends: stops what runs.
  virtual void Exit() = 0;

  // [control] Of the plugin.
  virtual void PluginStarts(const std::string& config) = 0;
  virtual void PluginEnds() = 0;
};

}  // namespace tasker::python
