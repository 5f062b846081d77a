#pragma once

namespace tasker::store::sqlite {

// The name of a VFS that is SQLite's default one, but that its write-ahead logs can be gathered
// (GatheredCommit). Null where SQLite takes no VFS: then the default one does. Thread-safe.
const char* GatheringVfs();

// Around a COMMIT on a connection of that VFS with synchronous = FULL: what this thread appends to
// the log meanwhile is kept in memory and written by one call before the log is synced, where
// SQLite makes two calls for each page. Others see nothing of a commit before its sync. Only around
// a COMMIT: what a transaction spills earlier is written at once, under SQLite's lock, for whatever
// were kept back then could be written after a rollback over the commit of another process. At most
// one at a time on a thread.
class GatheredCommit final {
 public:
  GatheredCommit();
  // What was not written by then belongs to a commit that failed; it is dropped.
  ~GatheredCommit();
  GatheredCommit(const GatheredCommit&) = delete;
  GatheredCommit& operator=(const GatheredCommit&) = delete;
};

}  // namespace tasker::store::sqlite
