#pragma once

/* What stands between the installed tasker-host and the C library in tests, by LD_PRELOAD; it is
 * never installed. The environment says what it does:
 *
 * TASKER_SHIM_PHASE    the process kills itself by SIGKILL there, inside the very call:
 *     before_commit    before the first write of a turn to the log
 *     in_fsync         when the turn's fdatasync of the log is entered
 *     committed        when that fdatasync has returned; nothing was dispatched yet
 *     handler          when a handler has written its line to `record`
 *     end_queued       when a handler's end is in the inbox, and the log was not written since
 * TASKER_SHIM_AFTER    only once this process's handlers wrote so many lines
 * TASKER_SHIM_NTH      then at the phase's n-th time (1)
 * TASKER_SHIM_STOP     set: it stops itself by SIGSTOP instead, until somebody lets it go on
 * TASKER_SHIM_REPORT   a file that gets one line, the phase, before the kill
 * TASKER_SHIM_CONTROL  a file of shim_control, which others may change at any time
 * TASKER_SHIM_SHADOW   a folder that holds, of each file of the store, what a lost power would
 *                      leave: its content as of its last fsync
 */

#include <stdint.h>

/* What calls on the store's files (x.db, -wal, -shm) do. */
enum shim_fault {
  SHIM_FAULT_NONE = 0,
  SHIM_FAULT_FULL = 'F',     /* writes: ENOSPC */
  SHIM_FAULT_SHORT = 'S',    /* writes: the first half, then ENOSPC */
  SHIM_FAULT_IO = 'I',       /* writes and syncs: EIO */
  SHIM_FAULT_SYNC = 'Y',     /* syncs: EIO */
  SHIM_FAULT_READONLY = 'R', /* writes, syncs, opening for writing: EROFS */
};

/* The control file, mapped by every process. */
struct shim_control {
  volatile uint8_t fault; /* enum shim_fault */
  uint8_t reserved[7];
  volatile int64_t clock_offset_s; /* added to CLOCK_REALTIME */
  volatile uint64_t faults_met;    /* calls that failed by it, over all processes */
};
