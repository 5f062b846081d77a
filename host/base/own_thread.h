#pragma once

#include <pthread.h>
#include <signal.h>

namespace tasker {

// The first thing that a thread of this host does: signals belong to the main thread, and `top -H`,
// debuggers and traces show the name, of at most 15 characters.
inline void BeginThread(const char* name) {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  ::pthread_setname_np(::pthread_self(), name);
}

}  // namespace tasker
