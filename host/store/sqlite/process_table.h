#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace tasker::store::sqlite {

// A file, whatever it is called.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;

  auto operator<=>(const FileId&) const = default;
};

// What this process has open is the project's one mutable global, because POSIX locks belong to the
// process: a second opening of a store would see the first one's locks as free, and its closing
// would drop them. Thread-safe.

// This process's right to open a store: one at a time.
class OpenedStore final {
 public:
  // By the lock folder of the database, which exists. kConflict when this process has the store
  // open, and when it is the forked child of one that had: SQLite's own table of locks is
  // inherited, so that the child would wait for ever or read without any lock.
  static Result<OpenedStore> Claim(const std::string& db_path);
  OpenedStore(OpenedStore&& other) noexcept;
  OpenedStore& operator=(OpenedStore&& other) noexcept;
  ~OpenedStore();  // Gives the right back; in a forked child nothing.

 private:
  explicit OpenedStore(FileId id) : id_(id), owned_(true) {}
  void Release();

  FileId id_;
  bool owned_ = false;
};

// Marks a file on which this process holds a lock, so that nobody here opens it a second time.
class HeldFile final {
 public:
  explicit HeldFile(int fd);
  ~HeldFile();
  HeldFile(const HeldFile&) = delete;
  HeldFile& operator=(const HeldFile&) = delete;

 private:
  FileId id_;
};

// Whether this process, not a parent of it, has marked the file. False without a file.
bool IsHeldHere(const std::string& path);

}  // namespace tasker::store::sqlite
