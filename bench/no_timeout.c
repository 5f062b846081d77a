// For LD_PRELOAD: ppoll, by which the turn thread sleeps, waits until something happens, however
// long. A host that still notices a submit was woken, and did not just look once a second.

#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int ppoll(struct pollfd* fds, nfds_t count, const struct timespec* timeout, const sigset_t* mask) {
  // No wait stays none: that is a look, not a sleep.
  struct timespec none = {0, 0};
  const int looks = timeout != NULL && timeout->tv_sec == 0 && timeout->tv_nsec == 0;
  return (int)syscall(SYS_ppoll, fds, count, looks ? &none : NULL, mask, _NSIG / 8);
}
