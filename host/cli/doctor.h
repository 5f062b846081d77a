#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/client.h"
#include "cli/session.h"
#include "config/config.h"

namespace tasker::cli {

// One thing that doctor looked at.
struct Finding {
  enum class Severity { kOk, kWarning, kError };
  std::string name;  // for scripts: "fsync", "file_system", ...
  Severity severity = Severity::kOk;
  std::string found;  // a sentence
  std::string mend;   // what to do about it; empty: nothing
};

// What doctor has found so far.
class Findings final {
 public:
  void Ok(std::string name, std::string found) {
    list_.push_back({std::move(name), Finding::Severity::kOk, std::move(found), {}});
  }
  void Warning(std::string name, std::string found, std::string mend) {
    list_.push_back(
        {std::move(name), Finding::Severity::kWarning, std::move(found), std::move(mend)});
  }
  void Error(std::string name, std::string found, std::string mend) {
    list_.push_back(
        {std::move(name), Finding::Severity::kError, std::move(found), std::move(mend)});
  }
  const std::vector<Finding>& list() const { return list_; }

 private:
  std::vector<Finding> list_;
};

// The folder of the store: its disk, file system and permissions.
void LookAtStoreFolder(const config::Config& config, Findings& findings);
// The SQLite of this process, while the plugins are loaded.
void LookAtOwnSqlite(Findings& findings);
// The versions of this program, and the SQLite of Python.
void LookAtVersions(const Session& session, Findings& findings);
// The wall clock beside what the store has seen of it.
void LookAtClock(const Client& client, Findings& findings);
// The plugin folders, and whether each step of each template has its handler. `client`: null where
// the store cannot be opened.
void LookAtHandlers(const config::Config& config, Client* client, Findings& findings);

}  // namespace tasker::cli
