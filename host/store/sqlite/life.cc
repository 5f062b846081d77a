#include "store/sqlite/life.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "base/check.h"
#include "log/log.h"
#include "store/sqlite/lock_file.h"

namespace tasker::store::sqlite {
namespace {

// The file: this header, the words of the notice board, then one 8-byte word a slot, in the
// machine's own byte order.
struct Header {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t slots;
  std::array<char, 48> boot_id;  // of the boot under which it was written, padded with zeros
};
static_assert(sizeof(Header) == 64);
static_assert(std::atomic<std::int64_t>::is_always_lock_free &&
              sizeof(std::atomic<std::int64_t>) == 8);

constexpr std::array<char, 8> kMagic = {'T', 's', 'k', 'L', 'i', 'f', 'e', '\n'};
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kBoardBytes = NoticeBoard::kWords * sizeof(std::int64_t);
constexpr std::size_t kSlotsAt = sizeof(Header) + kBoardBytes;

std::string PathOf(const std::string& lock_folder, std::int64_t worker_id) {
  return lock_folder + "/worker-" + std::to_string(worker_id);
}

// The bytes from `offset` on, fewer at the end of the file.
Result<std::string> ReadAt(int fd, std::size_t bytes, std::size_t offset) {
  std::string out(bytes, '\0');
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t got =
        ::pread(fd, out.data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Unavailable(ErrnoText(errno));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  out.resize(done);
  return out;
}

Result<Header> CurrentHeader(std::int32_t slots) {
  constexpr const char* kBootId = "/proc/sys/kernel/random/boot_id";
  Header header{.magic = kMagic,
                .version = kVersion,
                .slots = static_cast<std::uint32_t>(slots),
                .boot_id = {}};
  const UniqueFd file(::open(kBootId, O_RDONLY | O_CLOEXEC));
  if (!file.valid())
    return Unavailable(std::string("cannot open ") + kBootId + ": " + ErrnoText(errno));
  TRY(const std::string text, ReadAt(file.get(), header.boot_id.size() - 1, 0));
  const std::string id = text.substr(0, text.find('\n'));
  if (id.empty()) return Unavailable(std::string(kBootId) + " is empty");
  std::ranges::copy(id, header.boot_id.begin());
  return header;
}

// A descriptor of another process's file; an invalid one when there is no file.
Result<UniqueFd> OpenToProbe(const std::string& path) {
  CHECK(!IsHeldHere(path));
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid() && errno != ENOENT)
    return Unavailable("cannot open " + path + ": " + ErrnoText(errno));
  return file;
}

Result<std::optional<pid_t>> Probe(const std::string& lock_folder, std::int64_t worker_id) {
  TRY(const UniqueFd file, OpenToProbe(PathOf(lock_folder, worker_id)));
  if (!file.valid()) return std::optional<pid_t>();
  return FindBlocker(file.get());
}

// The header of a file that was written since the machine was booted; nothing for an older one.
Result<std::optional<Header>> ReadHeader(int fd) {
  TRY(const std::string head, ReadAt(fd, sizeof(Header), 0));
  if (head.size() < sizeof(Header)) return Invalid("it is too short");
  Header header{};
  std::memcpy(&header, head.data(), sizeof(header));
  if (header.magic != kMagic || header.version != kVersion) return Invalid("its header is damaged");
  TRY(const Header current, CurrentHeader(0));
  if (header.boot_id != current.boot_id) return std::optional<Header>();
  // The file's size bounds what a damaged header can ask for.
  struct stat found {};
  const std::uint64_t bytes = kSlotsAt + std::uint64_t{header.slots} * sizeof(std::int64_t);
  if (::fstat(fd, &found) != 0 || static_cast<std::uint64_t>(found.st_size) != bytes) {
    return Invalid("its size does not match its header");
  }
  return std::optional(header);
}

Result<std::vector<workflow::ClaimId>> ReadClaims(const std::string& path, std::int64_t worker_id) {
  std::vector<workflow::ClaimId> running;
  TRY(const UniqueFd file, OpenToProbe(path));
  if (!file.valid()) return running;
  TRY(const auto header, ReadHeader(file.get()));
  if (!header) return running;
  TRY(const std::string words,
      ReadAt(file.get(), std::size_t{header->slots} * sizeof(std::int64_t), kSlotsAt));
  for (std::size_t at = 0; at + sizeof(std::int64_t) <= words.size(); at += sizeof(std::int64_t)) {
    std::int64_t word = 0;
    std::memcpy(&word, words.data() + at, sizeof(word));
    const workflow::ClaimId claim{word};
    if (word != 0 && workflow::WorkerOf(claim) == worker_id) running.push_back(claim);
  }
  return running;
}

using BoardWords = std::array<std::int64_t, NoticeBoard::kWords>;

Result<BoardWords> ReadBoard(int fd) {
  TRY(const std::string bytes, ReadAt(fd, kBoardBytes, sizeof(Header)));
  BoardWords words{};
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

Result<std::optional<WorkerNotice>> ReadNoticeOf(const std::string& path) {
  constexpr int kTries = 16;  // a writing takes some hundred nanoseconds
  TRY(const UniqueFd file, OpenToProbe(path));
  if (!file.valid()) return std::optional<WorkerNotice>();
  TRY(const auto header, ReadHeader(file.get()));
  for (int i = 0; header && i < kTries; ++i) {
    TRY(const BoardWords first, ReadBoard(file.get()));
    TRY(const BoardWords second, ReadBoard(file.get()));
    if (auto notice = DecodeNotice(first, second)) return notice;
  }
  return std::optional<WorkerNotice>();
}

}  // namespace

Result<std::unique_ptr<Life>> Life::Create(const std::string& lock_folder, std::int64_t worker_id,
                                           std::int32_t slots) {
  CHECK(slots > 0);
  const std::string path = PathOf(lock_folder, worker_id);
  CHECK(!IsHeldHere(path));
  TRY(UniqueFd file, OpenLockFile(lock_folder, "worker-" + std::to_string(worker_id)));
  const int error = TryLock(file.get(), LockKind::kExclusive);
  if (error == EAGAIN) {
    const auto holder = FindBlocker(file.get());
    return Conflict("worker " + std::to_string(worker_id) + " runs already: " + path +
                    " is locked by " +
                    (holder && *holder ? DescribeProcess(**holder) : "another process"));
  }
  if (error != 0) return Unavailable("cannot lock " + path + ": " + ErrnoText(error));
  std::unique_ptr<Life> life(new Life(path, std::move(file)));
  if (auto filled = life->Fill(slots); !filled) {
    // The error of the filling is the one to tell; a file without a worker harms nobody.
    static_cast<void>(life->Remove());
    return Prefixed("cannot make " + path, filled.error());
  }
  return life;
}

Life::Life(std::string path, UniqueFd file)
    : path_(std::move(path)), held_(file.get()), file_(std::move(file)) {}

Life::~Life() {
  board_.reset();
  slots_.reset();
  if (mapped_ != nullptr) ::munmap(mapped_, mapped_bytes_);
}

Status Life::Fill(std::int32_t slots) {
  const auto count = static_cast<std::size_t>(slots);
  const std::size_t bytes = kSlotsAt + count * sizeof(std::int64_t);
  TRY(const Header header, CurrentHeader(slots));
  // What a worker left that took this id and whose row was never committed is gone.
  if (::ftruncate(file_.get(), 0) != 0) return Unavailable(ErrnoText(errno));
  // Blocks now: a store into a hole of the mapping is SIGBUS when the disk is full.
  if (const int error = ::posix_fallocate(file_.get(), 0, static_cast<off_t>(bytes)); error != 0) {
    return Unavailable(ErrnoText(error));
  }
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  if (mapped == MAP_FAILED) return Unavailable(ErrnoText(errno));
  mapped_ = mapped;
  mapped_bytes_ = bytes;
  auto* const first = reinterpret_cast<std::atomic<std::int64_t>*>(static_cast<std::byte*>(mapped) +
                                                                   sizeof(Header));
  const std::size_t words = NoticeBoard::kWords + count;
  for (std::size_t at = 0; at < words; ++at) std::construct_at(first + at, 0);
  board_.emplace(NoticeBoard::Words(first, NoticeBoard::kWords));
  slots_.emplace(std::span(first + NoticeBoard::kWords, count));
  std::memcpy(mapped, &header, sizeof(header));
  return Ok();
}

Status Life::Remove() {
  if (!file_.valid()) return Ok();
  Status removed = Ok();
  // The name first: a file whose lock is free says that its worker died.
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT) {
    removed = Unavailable("cannot remove " + path_ + ": " + ErrnoText(errno));
  }
  file_.Close();
  held_.reset();
  return removed;
}

bool IsAlive(const std::string& lock_folder, std::int64_t worker_id) {
  const auto holder = Probe(lock_folder, worker_id);
  if (holder) return holder->has_value();
  log::Warning("store", "worker " + std::to_string(worker_id) +
                            " is taken to be alive: " + holder.error().message);
  return true;
}

bool IsStopped(pid_t pid) {
  const UniqueFd file(
      ::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return false;
  constexpr std::size_t kEnough = 512;  // "pid (name) state ...", and a name has at most 15 bytes
  const auto text = ReadAt(file.get(), kEnough, 0);
  if (!text) return false;
  const std::size_t name_end = text->rfind(") ");
  if (name_end == std::string::npos || name_end + 2 >= text->size()) return false;
  const char state = (*text)[name_end + 2];
  return state == 'T' || state == 't';
}

std::optional<pid_t> LockHolder(const std::string& lock_folder, std::int64_t worker_id) {
  const auto holder = Probe(lock_folder, worker_id);
  if (holder) return *holder;
  log::Warning("store",
               "worker " + std::to_string(worker_id) + " may be alive: " + holder.error().message);
  return std::nullopt;
}

std::vector<workflow::ClaimId> ReadRunning(const std::string& lock_folder, std::int64_t worker_id) {
  const std::string path = PathOf(lock_folder, worker_id);
  auto running = ReadClaims(path, worker_id);
  if (running) return *std::move(running);
  log::Warning("store", "cannot tell which steps worker " + std::to_string(worker_id) +
                            " ran: " + path + ": " + running.error().message);
  return {};
}

std::optional<WorkerNotice> ReadNotice(const std::string& lock_folder, std::int64_t worker_id) {
  const std::string path = PathOf(lock_folder, worker_id);
  auto notice = ReadNoticeOf(path);
  if (notice) return *std::move(notice);
  log::Warning("store", "cannot tell what worker " + std::to_string(worker_id) +
                            " says of itself: " + path + ": " + notice.error().message);
  return std::nullopt;
}

void RemoveLife(const std::string& lock_folder, std::int64_t worker_id) {
  const std::string path = PathOf(lock_folder, worker_id);
  CHECK(!IsHeldHere(path));
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return;
  log::Warning("store", "cannot remove " + path + " of a buried worker: " + ErrnoText(errno));
}

}  // namespace tasker::store::sqlite
