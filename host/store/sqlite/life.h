#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "store/running_slots.h"
#include "store/sqlite/process_table.h"
#include "store/worker_notice.h"
#include "workflow/rows.h"

namespace tasker::store::sqlite {

// Proves that a worker's process lives: the file worker-<id>, locked until the process ends, with
// the claims that it runs and what it says of itself.
class Life final {
 public:
  // kConflict when another process is this worker. `slots` is above 0.
  static Result<std::unique_ptr<Life>> Create(const std::string& lock_folder,
                                              std::int64_t worker_id, std::int32_t slots);
  // Without Remove it is as if the process had died: the file stays, its lock is free.
  ~Life();
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  // May be written as long as the object lives, also after Remove. Thread-safe.
  RunningSlots& slots() { return *slots_; }
  NoticeBoard& board() { return *board_; }  // likewise, by one thread
  // Ends the worker in order: removes the file, then frees the lock. Safe twice.
  Status Remove();

 private:
  Life(std::string path, UniqueFd file);
  Status Fill(std::int32_t slots);

  const std::string path_;
  std::optional<HeldFile> held_;
  UniqueFd file_;
  void* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  std::optional<NoticeBoard> board_;
  std::optional<RunningSlots> slots_;
};

// How other processes see a worker. Never of a worker of this process: to close its file again
// would free its lock.

// Whether its lock is held. False without a file. True when that cannot be found out, which a
// warning says: a living worker must not be buried.
bool IsAlive(const std::string& lock_folder, std::int64_t worker_id);
// Its process; 0 for one that this container cannot see. Nothing when its lock is free.
std::optional<pid_t> LockHolder(const std::string& lock_folder, std::int64_t worker_id);
// Whether the process is stopped, so that it does nothing until somebody lets it go on. False for
// one that this container cannot see.
bool IsStopped(pid_t pid);
// The claims that a dead worker's slots name. None when the file is missing, damaged, or from
// before the machine was booted: then nothing says which of its claims had started.
std::vector<workflow::ClaimId> ReadRunning(const std::string& lock_folder, std::int64_t worker_id);
// What it says of itself, or said last. Nothing when the file is missing, damaged, from before the
// machine was booted, or was being written by a worker that is stopped.
std::optional<WorkerNotice> ReadNotice(const std::string& lock_folder, std::int64_t worker_id);
// Removes the file of a buried worker, if there is one.
void RemoveLife(const std::string& lock_folder, std::int64_t worker_id);

}  // namespace tasker::store::sqlite
