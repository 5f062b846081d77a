#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tasker::store::sqlite {

// The files of a store: the database x.db with its -wal and -shm, and beside it the lock folder
// x.db.d. Nothing here opens the database: closing a descriptor of it would drop SQLite's locks.

// The name of a file system that `statfs` reports by this number, if POSIX locks or shared memory
// cannot be trusted on it.
std::optional<std::string_view> UnsafeFileSystem(std::uint64_t statfs_type);

// kInvalid when the folder, or where it does not exist yet the one above it, is on a network or
// FUSE file system, unless that is allowed.
Status CheckFileSystem(const std::string& folder, bool allow_network_fs);

// The path without symbolic links, by which SQLite names -wal and -shm: processes that use
// different links to a database share its locks. kInvalid for what is no regular file or has a
// second (hard) link, kNotFound without its folder.
Result<std::string> ResolveDatabase(const std::string& db_path);

// The path of the lock folder of this database. Refuses a database that this process may not read
// and write. `create`: makes the database (an empty file) and the folder that it stands in where
// they are missing; else kNotFound without a database. A missing lock folder is made. All that is
// made is for this user only (0600, 0700), or for the group too (0660, 0770).
Result<std::string> PrepareLockFolder(const std::string& db_path, const std::string& group,
                                      bool create);

// Gives x.db, -wal and -shm, those that exist and are this user's, the modes above.
Status SetFileModes(const std::string& db_path, const std::string& group);

}  // namespace tasker::store::sqlite
