#pragma once

#include "base/findings.h"
#include "cli/client.h"
#include "cli/session.h"
#include "config/config.h"

namespace tasker::cli {

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
