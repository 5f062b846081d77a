// What doctor looks at outside of the host's own data: disk, permissions, libraries, clock.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/version.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include <tasker/version.h>

#include "base/unique_fd.h"
#include "cli/doctor.h"
#include "cli/format.h"
#include "store/probe.h"

namespace tasker::cli {
namespace {

using std::chrono::microseconds;

constexpr microseconds kSlowSync{20'000};
constexpr microseconds kNoSync{20};  // faster than any disk that keeps it
constexpr std::int64_t kLittleSpace = std::int64_t{1} << 30, kNoSpace = std::int64_t{64} << 20;
constexpr microseconds kJump{2'000'000};
constexpr std::chrono::seconds kPythonWithin{10};

// The folder itself, or the nearest one above it that there is.
std::string ExistingFolder(std::filesystem::path folder) {
  std::error_code ignored;  // What cannot be looked at is passed over.
  while (!std::filesystem::is_directory(folder, ignored) && folder.has_parent_path() &&
         folder != folder.parent_path()) {
    folder = folder.parent_path();
  }
  return folder;
}

void LookAtSync(const std::string& folder, bool full, Findings& findings) {
  const auto cost = store::SyncCost(folder);
  if (!cost) {
    findings.Error("fsync", cost.error().message,
                   "make the folder writable for the user that runs the host");
    return;
  }
  const std::string found =
      "a write is on the disk of " + folder + " after " + DurationText(*cost) + " (fsync, median)";
  if (*cost > kSlowSync && full) {
    findings.Warning("fsync", found + ": each commit waits that long",
                     "put the store on a faster local disk, or, if the last commits may be lost "
                     "with the machine's power, set [store] synchronous = \"normal\"");
  } else if (*cost < kNoSync) {
    findings.Warning("fsync", found + ": no disk is that fast",
                     "if the file system or the virtual machine ignores fsync, acknowledged work "
                     "is lost with the power; put the store elsewhere");
  } else {
    findings.Ok("fsync", found);
  }
}

void LookAtDisk(const std::string& folder, bool allowed, Findings& findings) {
  const auto disk = store::LookAtFileSystem(folder);
  if (!disk) {
    findings.Error("file_system", disk.error().message, "check that the folder can be entered");
    return;
  }
  const std::string found = folder + " is on " + disk->kind;
  if (disk->unsafe) {
    const std::string sentence = found + ", where file locks are not to be trusted";
    const char* const mend = "put the store on a local disk ([store] path)";
    if (allowed) {
      findings.Warning("file_system", sentence, mend);
    } else {
      findings.Error("file_system", sentence, mend);
    }
  } else if (disk->volatile_) {
    findings.Warning("file_system", found + ", which is memory: a reboot loses every task",
                     "put the store on a disk ([store] path)");
  } else {
    findings.Ok("file_system", found);
  }
  const std::string space =
      SizeText(disk->free_bytes) + " of " + SizeText(disk->total_bytes) + " are free there";
  const char* const mend =
      "free some space, or let old tasks go: [store] keep_finished, `store prune`";
  if (disk->free_bytes < kNoSpace) {
    findings.Error("disk_space", space, mend);
  } else if (disk->free_bytes < kLittleSpace) {
    findings.Warning("disk_space", space, mend);
  } else {
    findings.Ok("disk_space", space);
  }
}

void LookAtAccess(const config::Config& config, const std::string& folder, Findings& findings) {
  const std::string& path = config.store.path;
  struct stat info {};
  bool good = true;
  if (::stat(folder.c_str(), &info) == 0 && (info.st_mode & S_IWOTH) != 0 &&
      (info.st_mode & S_ISVTX) == 0) {
    good = false;
    findings.Error("permissions", "everybody may replace files in " + folder,
                   "run `chmod o-w " + folder + "`");
  }
  for (const char* beside : {"", "-wal", "-shm", ".d"}) {
    const std::string file = path + beside;
    if (::stat(file.c_str(), &info) != 0) continue;
    if ((info.st_mode & S_IRWXO) != 0) {
      good = false;
      findings.Warning("permissions", file + " can be used by everybody",
                       "run `chmod o-rwx " + file + "`");
    }
    if (::access(file.c_str(), R_OK | W_OK) != 0) {
      good = false;
      findings.Error("permissions", "this user may not read and write " + file,
                     "run the host and its commands as the user that owns the store, or share it "
                     "with [store] group");
    }
  }
  if (good) findings.Ok("permissions", "the store's files are closed to others");
}

// The libraries of that name that are mapped into this process.
std::set<std::string> Mapped(std::string_view name) {
  std::set<std::string> files;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::size_t at = line.find('/');
    if (at == std::string::npos) continue;
    std::string file = line.substr(at);
    if (file.substr(file.rfind('/') + 1).starts_with(name)) files.insert(std::move(file));
  }
  return files;
}

std::string Read(int fd, Steady deadline) {
  std::string text;
  std::array<char, 1024> buffer{};
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd ready{fd, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return {};
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

// What this Python program prints; empty: there is no Python, or it does not answer.
std::string AskPython(const char* program, const config::Environment& environment) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, to.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  const auto path = environment.find("PATH");
  std::string path_entry = "PATH=" + (path == environment.end() ? "/usr/bin" : path->second);
  std::string python = "python3", flag = "-c", text = program;
  const std::array<char*, 4> arguments = {python.data(), flag.data(), text.data(), nullptr};
  const std::array<char*, 2> variables = {path_entry.data(), nullptr};
  pid_t child = 0;
  const int failed =
      ::posix_spawnp(&child, "python3", &actions, nullptr, arguments.data(), variables.data());
  ::posix_spawn_file_actions_destroy(&actions);
  to.Close();
  if (failed != 0) return {};
  std::string answer = Read(from.get(), std::chrono::steady_clock::now() + kPythonWithin);
  if (answer.empty()) ::kill(child, SIGKILL);
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return answer;
}

constexpr char kPythonsSqlite[] =
    "import sqlite3, _sqlite3, os\n"
    "files = {line.split(None, 5)[5].strip() for line in open('/proc/self/maps')"
    " if 'libsqlite3' in line}\n"
    "print(sqlite3.sqlite_version, ' '.join(sorted(files)) or"
    " getattr(_sqlite3, '__file__', 'built in'), end='')\n";

void LookAtPythonsSqlite(const Session& session, Findings& findings) {
  const std::set<std::string> here = Mapped("libsqlite3");
  const std::string python = AskPython(kPythonsSqlite, session.env);
  if (python.empty()) {
    findings.Ok("python_sqlite", "there is no python3 with sqlite3 on PATH to compare");
    return;
  }
  const std::size_t blank = python.find(' ');
  const std::string version = python.substr(0, blank);
  const std::string file = python.substr(std::min(blank, python.size() - 1) + 1);
  std::error_code ignored;  // Files that cannot be compared are different ones.
  const bool same = here.size() == 1 && std::filesystem::equivalent(*here.begin(), file, ignored);
  if (same) {
    findings.Ok("python_sqlite", "Python's sqlite3 uses the same library, " + version);
  } else {
    findings.Warning("python_sqlite",
                     "Python's sqlite3 brings a SQLite of its own, " + version + " (" + file + ")",
                     "never open the store with it in a process that has the host in it, such as "
                     "a Python plugin; a process of its own may");
  }
}

}  // namespace

void LookAtStoreFolder(const config::Config& config, Findings& findings) {
  const std::string folder = ExistingFolder(std::filesystem::path(config.store.path).parent_path());
  LookAtSync(folder, config.store.synchronous == config::Synchronous::kFull, findings);
  LookAtDisk(folder, config.store.allow_network_fs, findings);
  LookAtAccess(config, folder, findings);
}

void LookAtOwnSqlite(Findings& findings) {
  const std::set<std::string> here = Mapped("libsqlite3");
  if (here.size() <= 1) {
    findings.Ok("second_sqlite", "the host and its plugins have one SQLite");
    return;
  }
  std::string names;
  for (const std::string& file : here) names.append(names.empty() ? "" : ", ").append(file);
  findings.Error("second_sqlite", "this process has several copies of SQLite: " + names,
                 "link every plugin with the system's SQLite: two copies in a process break each "
                 "other's file locks, and so the store");
}

void LookAtVersions(const Session& session, Findings& findings) {
  findings.Ok("versions", std::string("tasker-host ") + TASKER_VERSION + ", SQLite " +
                              store::SqliteVersion() + ", Boost " +
                              std::to_string(BOOST_VERSION / 100'000) + "." +
                              std::to_string(BOOST_VERSION / 100 % 1000) + "." +
                              std::to_string(BOOST_VERSION % 100));
  LookAtPythonsSqlite(session, findings);
}

void LookAtClock(const Client& client, Findings& findings) {
  const auto newest = store::NewestTask(*client.store);
  if (newest && *newest && **newest > WallNow() + kJump) {
    findings.Error("clock",
                   "the newest task was submitted " + DurationText(**newest - WallNow()) +
                       " from now: the clock was set back",
                   "set the clock right, by NTP; retries and start times wait until it has caught "
                   "up");
    return;
  }
  timex state{};
  const int kept = ::adjtimex(&state);
  if (kept < 0) {
    findings.Ok("clock", "the clock has not been set back; who keeps it right cannot be seen here");
    return;
  }
  if (kept == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
    findings.Warning("clock", "nothing keeps the machine's clock right",
                     "run an NTP client, such as systemd-timesyncd or chrony: start times and "
                     "retries follow the clock");
    return;
  }
  findings.Ok("clock", "the clock has not been set back, and is kept right");
}

}  // namespace tasker::cli
