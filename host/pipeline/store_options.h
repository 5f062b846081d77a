#pragma once

#include "config/config.h"
#include "store/store.h"

namespace tasker::pipeline {

// How the configuration wants its store opened: by a host, which waits for another process's turn
// as long as it takes.
store::OpenOptions OpenOptionsOf(const config::Store& store);
// The same for a client, which gives up after some seconds: a turn takes milliseconds, so that who
// holds the store longer is stuck or stopped.
store::OpenOptions ClientOptionsOf(const config::Store& store);

}  // namespace tasker::pipeline
