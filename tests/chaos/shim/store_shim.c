#define _GNU_SOURCE
#include "store_shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SHIM_EXPORT __attribute__((visibility("default")))

enum kind { KIND_OTHER = 0, KIND_DB, KIND_WAL, KIND_SHM, KIND_RECORD, KIND_MARKS };
enum phase { PHASE_NONE, BEFORE_COMMIT, IN_FSYNC, COMMITTED, HANDLER, END_QUEUED, PHASES };
static const char* const kPhaseNames[PHASES] = {"",          "before_commit", "in_fsync",
                                                "committed", "handler",       "end_queued"};

enum { FDS = 4096, LOG_HEADER = 32 };

static _Atomic unsigned char kinds[FDS];
static char paths[FDS][256]; /* of DB and WAL */
static enum phase phase;
static long after_lines, nth = 1;
static _Atomic long lines, met;
static _Atomic unsigned long log_writes;
static _Atomic int log_dirty; /* frames were written since the last sync */
static const char *report, *shadow;
static struct shim_control* control;
static int (*real_clock_gettime)(clockid_t, struct timespec*);

static int open_by_syscall(const char* path, int flags, mode_t mode) {
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

__attribute__((constructor)) static void begin(void) {
  const char* text = getenv("TASKER_SHIM_PHASE");
  for (int i = 1; text != NULL && i < PHASES; ++i) {
    if (strcmp(text, kPhaseNames[i]) == 0) phase = (enum phase)i;
  }
  if ((text = getenv("TASKER_SHIM_AFTER")) != NULL) after_lines = atol(text);
  if ((text = getenv("TASKER_SHIM_NTH")) != NULL) nth = atol(text);
  report = getenv("TASKER_SHIM_REPORT");
  shadow = getenv("TASKER_SHIM_SHADOW");
  if ((text = getenv("TASKER_SHIM_CONTROL")) == NULL) return;
  const int fd = open_by_syscall(text, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0) abort();
  void* mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) abort();
  control = mapped;
  syscall(SYS_close, fd);
}

/* Whether this is the time at which the process has to die in the phase. */
static int is_the_time(enum phase here) {
  if (phase != here || atomic_load(&lines) < after_lines) return 0;
  return atomic_fetch_add(&met, 1) + 1 == nth;
}

static int ends_with(const char* text, const char* end) {
  const size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}

static enum kind kind_of_path(const char* path) {
  if (ends_with(path, ".db")) return KIND_DB;
  if (ends_with(path, ".db-wal")) return KIND_WAL;
  if (ends_with(path, ".db-shm")) return KIND_SHM;
  if (ends_with(path, "/record")) return KIND_RECORD;
  if (ends_with(path, "/marks")) return KIND_MARKS;
  return KIND_OTHER;
}

static enum kind kind_of(int fd) {
  return fd >= 0 && fd < FDS ? (enum kind)atomic_load(&kinds[fd]) : KIND_OTHER;
}
static int is_store(enum kind kind) {
  return kind == KIND_DB || kind == KIND_WAL || kind == KIND_SHM;
}

static uint8_t fault_now(void) { return control == NULL ? SHIM_FAULT_NONE : control->fault; }
static int fail(int error) {
  __atomic_fetch_add(&control->faults_met, 1, __ATOMIC_RELAXED);
  errno = error;
  return -1;
}

static void in_shadow(char* path, const char* name) {
  if (snprintf(path, PATH_MAX, "%s/%s", shadow, name) >= PATH_MAX) abort();
}

/* One process at a time copies, or ends all copying: else an older copy could win. */
static int lock_shadow(void) {
  char path[PATH_MAX];
  in_shadow(path, "lock");
  const int lock = open_by_syscall(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0 || flock(lock, LOCK_EX) != 0) abort();
  return lock;
}

/* The power is gone: whatever anybody still syncs never was. */
static void freeze_shadow(void) {
  char path[PATH_MAX];
  in_shadow(path, "frozen");
  const int lock = lock_shadow();
  const int fd = open_by_syscall(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) abort();
  syscall(SYS_close, fd);
  syscall(SYS_close, lock);
}

/* The whole file, so that also what others wrote to it counts as safe, as a sync has it. */
static void copy_to_shadow(int fd) {
  char name[PATH_MAX], part[PATH_MAX];
  const char* slash = strrchr(paths[fd], '/');
  in_shadow(name, slash == NULL ? paths[fd] : slash + 1);
  in_shadow(part, "part");
  const int out = open_by_syscall(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) abort();
  static _Thread_local char buffer[1 << 16];
  off_t at = 0;
  ssize_t got;
  while ((got = syscall(SYS_pread64, fd, buffer, sizeof buffer, at)) > 0) {
    if (syscall(SYS_pwrite64, out, buffer, (size_t)got, at) != got) abort();
    at += got;
  }
  syscall(SYS_close, out);
  if (got < 0 || rename(part, name) != 0) abort();
}

static void keep_shadow(int fd) {
  if (shadow == NULL) return;
  char frozen[PATH_MAX];
  in_shadow(frozen, "frozen");
  const int lock = lock_shadow();
  if (access(frozen, F_OK) != 0) copy_to_shadow(fd);
  syscall(SYS_close, lock);
}

static void die(enum phase here) {
  if (report != NULL) {
    char line[64];
    const int size = snprintf(line, sizeof line, "%s\n", kPhaseNames[here]);
    const int fd = open_by_syscall(report, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || syscall(SYS_write, fd, line, (size_t)size) != size) abort();
  }
  if (shadow != NULL) freeze_shadow();
  if (getenv("TASKER_SHIM_STOP") != NULL) {
    /* To this very thread: it must be here that it stops, and not some calls later. */
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSTOP);
    return;
  }
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

static int open_any(const char* path, int flags, mode_t mode) {
  const enum kind kind = kind_of_path(path);
  if (is_store(kind) && (flags & O_ACCMODE) != O_RDONLY && fault_now() == SHIM_FAULT_READONLY) {
    return fail(EROFS);
  }
  const int fd = open_by_syscall(path, flags, mode);
  if (fd >= 0 && fd < FDS) {
    if (kind == KIND_DB || kind == KIND_WAL) snprintf(paths[fd], sizeof paths[fd], "%s", path);
    atomic_store(&kinds[fd], (unsigned char)kind);
  }
  return fd;
}

SHIM_EXPORT int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_any(path, flags, mode);
}

SHIM_EXPORT int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_any(path, flags, mode);
}

SHIM_EXPORT int close(int fd) {
  if (fd >= 0 && fd < FDS) atomic_store(&kinds[fd], KIND_OTHER);
  return (int)syscall(SYS_close, fd);
}

/* The handlers' own files. */
SHIM_EXPORT ssize_t write(int fd, const void* data, size_t size) {
  const enum kind kind = kind_of(fd);
  if (kind == KIND_MARKS) {
    static _Thread_local unsigned long writes_before;
    const char mark = *(const char*)data;
    if (mark == 'b') writes_before = atomic_load(&log_writes);
    if (mark == 'e' && atomic_load(&log_writes) == writes_before && is_the_time(END_QUEUED)) {
      die(END_QUEUED);
    }
    return (ssize_t)size;
  }
  const ssize_t written = syscall(SYS_write, fd, data, size);
  if (kind == KIND_RECORD && written > 0) {
    atomic_fetch_add(&lines, 1);
    if (is_the_time(HANDLER)) die(HANDLER);
  }
  return written;
}

SHIM_EXPORT ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  const enum kind kind = kind_of(fd);
  if (kind == KIND_WAL && size != LOG_HEADER) {
    if (!atomic_load(&log_dirty) && is_the_time(BEFORE_COMMIT)) die(BEFORE_COMMIT);
    atomic_store(&log_dirty, 1);
  }
  if (kind == KIND_WAL) atomic_fetch_add(&log_writes, 1);
  if (is_store(kind)) {
    switch (fault_now()) {
      case SHIM_FAULT_FULL:
        return fail(ENOSPC);
      case SHIM_FAULT_IO:
        return fail(EIO);
      case SHIM_FAULT_READONLY:
        return fail(EROFS);
      case SHIM_FAULT_SHORT:
        if (size < 512) return fail(ENOSPC);
        __atomic_fetch_add(&control->faults_met, 1, __ATOMIC_RELAXED);
        size /= 2;
        break;
      default:
        break;
    }
  }
  return syscall(SYS_pwrite64, fd, data, size, at);
}

static int sync_any(int fd, long call) {
  const enum kind kind = kind_of(fd);
  const int commits = kind == KIND_WAL && atomic_load(&log_dirty);
  if (commits && is_the_time(IN_FSYNC)) die(IN_FSYNC);
  if (is_store(kind)) {
    const uint8_t fault = fault_now();
    if (fault == SHIM_FAULT_IO || fault == SHIM_FAULT_SYNC) return fail(EIO);
    if (fault == SHIM_FAULT_READONLY) return fail(EROFS);
  }
  const int result = (int)syscall(call, fd);
  if (result == 0 && (kind == KIND_DB || kind == KIND_WAL)) keep_shadow(fd);
  if (commits) {
    atomic_store(&log_dirty, 0);
    if (is_the_time(COMMITTED)) die(COMMITTED);
  }
  return result;
}

SHIM_EXPORT int fdatasync(int fd) { return sync_any(fd, SYS_fdatasync); }
SHIM_EXPORT int fsync(int fd) { return sync_any(fd, SYS_fsync); }

SHIM_EXPORT int ftruncate64(int fd, off64_t size) {
  if (is_store(kind_of(fd)) && fault_now() == SHIM_FAULT_READONLY) return fail(EROFS);
  return (int)syscall(SYS_ftruncate, fd, size);
}

SHIM_EXPORT int clock_gettime(clockid_t clock, struct timespec* out) {
  if (real_clock_gettime == NULL) {
    real_clock_gettime =
        (int (*)(clockid_t, struct timespec*))(intptr_t)dlsym(RTLD_NEXT, "clock_gettime");
  }
  const int result = real_clock_gettime(clock, out);
  if (result == 0 && clock == CLOCK_REALTIME && control != NULL) {
    out->tv_sec += control->clock_offset_s;
  }
  return result;
}
