#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "cli/client.h"
#include "cli/progress.h"
#include "cli/session.h"

namespace tasker::cli {

struct Watched {
  store::TaskView view;      // as seen last
  bool interrupted = false;  // by a signal, before the task was settled
};

// Shows the task's progress until it is settled or a signal comes. Learns of changes by the store's
// bell. From one second on, hints at handlers that no running host has.
Result<Watched> WatchTask(const Session& session, Client& client, const Uuid& task,
                          Progress& progress);

// One sentence for each handler that steps of this task wait for and no running host has.
Result<std::vector<std::string>> MissingHandlers(const Session& session, Client& client,
                                                 const store::TaskView& view);

}  // namespace tasker::cli
