#pragma once

namespace tasker::store::sqlite {

// The name of a VFS that is SQLite's default one but for the write-ahead log: what is appended to
// that is gathered and written by one call before it is synced, where SQLite makes two calls for
// each page. For connections with synchronous = FULL: with less a commit would be shown to others
// before it was written. Null where SQLite takes no VFS: then the default one does. Thread-safe.
const char* GatheringVfs();

}  // namespace tasker::store::sqlite
