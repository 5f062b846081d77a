#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tasker::config {

// worker.toml as plain values; defaults stand here and nowhere else. config/worker.toml explains
// each key to its user. Paths are absolute once loaded: relative ones are taken from the file's
// folder, without a file from the current one.

struct Worker {
  std::string id;                       // a name for people; default: "worker-" and the host's name
  std::vector<std::string> namespaces;  // claims only these; empty: all
  std::int64_t threads = 0;             // executor threads, 0: one a core; 0..1024
  std::int64_t in_flight_max = 256;     // steps claimed and not committed; 1..65536
  std::map<std::string, std::int64_t> handler_limits;  // handler -> attempts at once here; 1..65536
  std::chrono::milliseconds drain{
      30'000};  // from SIGTERM to the hand-back of what still runs; 0 s..24 h
};

enum class Synchronous { kFull, kNormal };

struct Store {
  std::string path = ".tasker/tasker.db";
  Synchronous synchronous = Synchronous::kFull;
  std::string group;                           // the files' group; empty: files are 0600
  bool allow_network_fs = false;               // POSIX locks are not to be trusted there
  std::int64_t turn_max_items = 4096;          // events in one commit; 1..100000
  std::int64_t turn_max_bytes = 64 << 20;      // payload bytes in one commit; 1 MiB..1 GiB
  std::chrono::milliseconds keep_finished{0};  // tasks that have ended; 0: for ever; 0 s..3650 d
  std::int64_t crash_max = 3;  // deaths of its process until a step is poison; 1..100
};

struct Templates {
  std::vector<std::string> paths;  // folders, searched for *.yaml and *.yml
  bool strict = false;             // unknown keys and changed texts of a version are errors
};

struct Plugins {
  std::vector<std::string> dirs;  // every *.so in them is loaded
  std::map<std::string, std::string>
      configs;  // plugin name -> its [plugin.NAME] table as a JSON object
};

struct Limits {
  std::int64_t context_max_bytes = 1 << 20;     // of one task's context; 1 KiB..256 MiB
  std::int64_t result_max_bytes = 4 << 20;      // of one step's result; 1 KiB..256 MiB
  std::int64_t checkpoint_max_bytes = 1 << 20;  // 1 KiB..256 MiB
  std::int64_t hydrated_max_bytes = 16 << 20;   // of everything one step is given; 1 KiB..1 GiB
  std::int64_t template_max_bytes = 1 << 20;    // 1 KiB..16 MiB
  std::int64_t json_depth_max = 64;             // 4..512
  std::int64_t steps_max = 100'000;             // in one template; 1..1000000
};

enum class LogFormat { kAuto, kText, kJson };  // kAuto: text on a terminal, JSON lines otherwise
enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError };

struct Log {
  LogFormat format = LogFormat::kAuto;
  LogLevel level = LogLevel::kInfo;
  std::map<std::string, LogLevel> modules;  // module -> its own level
};

struct Config {
  std::string file;  // where it came from; empty: no file
  Worker worker;
  Store store;
  Templates templates;
  Plugins plugins;
  Limits limits;
  Log log;

  // dotted key -> "default", "file:LINE" or "env NAME": for `config show`
  std::map<std::string, std::string> origins;
  // One sentence each, for the log at start: upstream's sections that were passed over, TASKER_ENV.
  std::vector<std::string> notices;
};

}  // namespace tasker::config
