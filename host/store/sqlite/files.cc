#include "store/sqlite/files.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <vector>

#include "store/sqlite/lock_file.h"

namespace tasker::store::sqlite {
namespace {

struct FileSystem {
  std::uint64_t type;  // linux/magic.h names only some of them
  std::string_view name;
};
constexpr std::array kUnsafe = {
    FileSystem{0x6969, "NFS"},
    FileSystem{0x517b, "SMB"},
    FileSystem{0xfe534d42, "SMB2"},
    FileSystem{0xff534d42, "CIFS"},
    FileSystem{0x65735546, "FUSE"},
    FileSystem{0x01021997, "9P"},
    FileSystem{0x00c36400, "Ceph"},
    FileSystem{0x5346414f, "AFS"},
    FileSystem{0x6b414653, "AFS"},
    FileSystem{0x73757245, "Coda"},
    FileSystem{0x564c, "NCP"},
    FileSystem{0x01161970, "GFS2"},
    FileSystem{0x7461636f, "OCFS2"},
    FileSystem{0x0bd00bd0, "Lustre"},
    FileSystem{0x47504653, "GPFS"},
    FileSystem{0x19830326, "BeeGFS"},
    FileSystem{0x20030528, "OrangeFS"},
    FileSystem{0x786f4256, "VirtualBox"},
    FileSystem{0xbacbacbc, "VMware HGFS"},
};

struct Access {
  std::optional<gid_t> group;
  mode_t file = 0600;
  mode_t folder = 0700;
};

Result<Access> AccessFor(const std::string& group) {
  if (group.empty()) return Access{};
  std::vector<char> buffer(1 << 16);
  struct group entry {};
  struct group* found = nullptr;
  const int error = ::getgrnam_r(group.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    const std::string why =
        error == 0 ? "there is no such group; name one of `getent group`" : ErrnoText(error);
    return Invalid("cannot give the store to [store] group '" + group + "': " + why);
  }
  // Set-group-ID: what any user of the group puts into the folder belongs to the group.
  return Access{.group = entry.gr_gid, .file = 0660, .folder = S_ISGID | 0770};
}

// Only the owner can change a mode; the other users of a group leave it as it is.
Status SetAccess(const std::string& path, const struct stat& now, mode_t mode,
                 std::optional<gid_t> group) {
  if (now.st_uid != ::geteuid()) return Ok();
  if (group && now.st_gid != *group && ::chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0) {
    return Invalid("cannot give " + path + " to the group of [store] group: " + ErrnoText(errno) +
                   "; the user that owns the store must be in that group");
  }
  if ((now.st_mode & 07777) != mode && ::chmod(path.c_str(), mode) != 0) {
    return Unavailable("cannot set the mode of " + path + ": " + ErrnoText(errno));
  }
  return Ok();
}

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

Status MakeFolder(const std::string& folder, const Access& access) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return Unavailable("cannot make the folder " + folder + ": " + ErrnoText(errno) +
                       "; make it yourself, or name another file in [store] path");
  }
  struct stat made {};
  if (::stat(folder.c_str(), &made) != 0)
    return Unavailable("cannot use " + folder + ": " + ErrnoText(errno));
  if (!S_ISDIR(made.st_mode)) {
    return Invalid("cannot use " + folder +
                   " for the store's locks: it is no folder; move that file away");
  }
  return SetAccess(folder, made, access.folder, access.group);
}

Status CheckAccess(const std::string& path, int wanted) {
  if (::faccessat(AT_FDCWD, path.c_str(), wanted, AT_EACCESS) == 0) return Ok();
  return Invalid("cannot read and write " + path + ": " + ErrnoText(errno) +
                 "; run as the user that owns the store, or share it by [store] group");
}

}  // namespace

std::optional<std::string_view> UnsafeFileSystem(std::uint64_t statfs_type) {
  for (const FileSystem& unsafe : kUnsafe) {
    if (unsafe.type == statfs_type) return unsafe.name;
  }
  return std::nullopt;
}

Status CheckFileSystem(const std::string& folder, bool allow_network_fs) {
  struct statfs found {};
  std::string asked = folder;
  while (::statfs(asked.c_str(), &found) != 0) {
    const int error = errno;
    const std::string above = FolderOf(asked);
    if (error != ENOENT || above == asked) {
      return Unavailable("cannot find out the file system of " + folder + ": " + ErrnoText(error));
    }
    asked = above;
  }
  // f_type is signed on some machines: its upper half must not become ones.
  const auto unsafe = UnsafeFileSystem(static_cast<std::uint32_t>(found.f_type));
  if (!unsafe || allow_network_fs) return Ok();
  return Invalid("cannot keep a store in " + folder + ": it is on a network or FUSE file system (" +
                 std::string(*unsafe) +
                 "), whose locks and shared memory SQLite cannot rely on; name a file on a " +
                 "local disk in [store] path, or set [store] allow_network_fs = true if only one "
                 "machine ever uses it");
}

Result<std::string> ResolveDatabase(const std::string& db_path) {
  struct stat named {};
  if (::lstat(db_path.c_str(), &named) == 0) {
    std::array<char, PATH_MAX> real{};
    struct stat file {};
    if (::realpath(db_path.c_str(), real.data()) == nullptr || ::stat(real.data(), &file) != 0) {
      return Invalid("cannot follow the link " + db_path + ": " + ErrnoText(errno) +
                     "; name the file itself");
    }
    if (!S_ISREG(file.st_mode))
      return Invalid("cannot use " + db_path + " as a store: it is no regular file");
    if (file.st_nlink > 1) {
      return Invalid("cannot use " + db_path +
                     " as a store: the file has a second name (hard link), and a process " +
                     "that uses that one would have other locks; copy it or remove the other name");
    }
    return std::string(real.data());
  }
  if (errno != ENOENT) return Invalid("cannot use " + db_path + " as a store: " + ErrnoText(errno));
  std::array<char, PATH_MAX> folder{};
  if (::realpath(FolderOf(db_path).c_str(), folder.data()) == nullptr) {
    return NotFound("cannot use " + db_path + " as a store: " + FolderOf(db_path) + ": " +
                    ErrnoText(errno));
  }
  return (std::filesystem::path(folder.data()) / std::filesystem::path(db_path).filename())
      .string();
}

Result<std::string> PrepareLockFolder(const std::string& db_path, const std::string& group,
                                      bool create) {
  TRY(const Access access, AccessFor(group));
  const std::string beside = FolderOf(db_path);
  if (!create && ::access(db_path.c_str(), F_OK) != 0 && errno == ENOENT) {
    return NotFound("there is no store yet at " + db_path +
                    ": start a host there (tasker-host run), submit a task, or name the store in "
                    "[store] path");
  }
  if (create && ::access(beside.c_str(), F_OK) != 0) TRY_OK(MakeFolder(beside, access));
  TRY(const std::string database, ResolveDatabase(db_path));
  // mknod makes the file without a descriptor whose closing would drop somebody's locks.
  if (create && ::mknod(database.c_str(), S_IFREG | 0600, 0) != 0 && errno != EEXIST) {
    return Unavailable("cannot make the store " + database + ": " + ErrnoText(errno) +
                       "; name a file in a folder that you may write in [store] path");
  }
  if (::access(database.c_str(), F_OK) != 0) {
    return NotFound("cannot open the store " + database + ": " + ErrnoText(errno));
  }
  TRY_OK(CheckAccess(database, R_OK | W_OK));
  TRY_OK(CheckAccess(FolderOf(database), R_OK | W_OK | X_OK));  // for -wal and -shm
  const std::string lock_folder = database + ".d";
  TRY_OK(MakeFolder(lock_folder, access));
  TRY_OK(CheckAccess(lock_folder, R_OK | W_OK | X_OK));
  return lock_folder;
}

Status SetFileModes(const std::string& db_path, const std::string& group) {
  TRY(const Access access, AccessFor(group));
  TRY(const std::string database, ResolveDatabase(db_path));
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const std::string path = database + suffix;
    struct stat now {};
    if (::stat(path.c_str(), &now) != 0) {
      if (errno == ENOENT) continue;
      return Unavailable("cannot set the mode of " + path + ": " + ErrnoText(errno));
    }
    TRY_OK(SetAccess(path, now, access.file, access.group));
  }
  return Ok();
}

}  // namespace tasker::store::sqlite
