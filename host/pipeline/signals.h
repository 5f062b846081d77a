#pragma once

#include <signal.h>

namespace tasker::pipeline {

// Of the calling thread, which is one of the pipeline's: signals belong to the main thread.
inline void BlockSignals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace tasker::pipeline
