#include "store/worker_notice.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

namespace tasker::store {
namespace {

// The order of the words: this one is odd while the texts change.
constexpr std::size_t kVersion = 0, kCounts = 1, kNotReady = 9;
constexpr std::size_t kTextWords = NoticeBoard::kTextBytes / sizeof(std::int64_t);
constexpr std::size_t kLastError = kNotReady + kTextWords;
static_assert(kLastError + kTextWords == NoticeBoard::kWords);

using TextBytes = std::array<char, NoticeBoard::kTextBytes>;

// At most the bytes that fit, and no half of a UTF-8 character.
std::string_view Cut(std::string_view text) {
  if (text.size() <= NoticeBoard::kTextBytes) return text;
  std::size_t end = NoticeBoard::kTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

std::string TextAt(std::span<const std::int64_t, NoticeBoard::kWords> words, std::size_t first) {
  TextBytes bytes{};
  std::memcpy(bytes.data(), &words[first], bytes.size());
  return {bytes.begin(), std::ranges::find(bytes, '\0')};
}

}  // namespace

void NoticeBoard::Write(const WorkerNotice& notice) {
  std::size_t at = kCounts;
  VisitCounts(notice, [&](const char* /*name*/, auto count) {
    WriteCount(at++, static_cast<std::int64_t>(count));
  });
  WriteCount(at, notice.last_error_us);
  if (notice.not_ready == not_ready_ && notice.last_error == last_error_) return;
  not_ready_ = notice.not_ready;
  last_error_ = notice.last_error;
  words_[kVersion].fetch_add(1);
  WriteText(kNotReady, not_ready_);
  WriteText(kLastError, last_error_);
  words_[kVersion].fetch_add(1);
}

void NoticeBoard::WriteCount(std::size_t at, std::int64_t count) {
  // A store makes the page dirty, also of the same value: an idle worker writes nothing to disk.
  if (words_[at].load(std::memory_order_relaxed) != count)
    words_[at].store(count, std::memory_order_relaxed);
}

void NoticeBoard::WriteText(std::size_t first, std::string_view text) {
  TextBytes bytes{};
  std::ranges::copy(Cut(text), bytes.begin());
  for (std::size_t i = 0; i < kTextWords; ++i) {
    std::int64_t word = 0;
    std::memcpy(&word, &bytes[i * sizeof(word)], sizeof(word));
    words_[first + i].store(word);
  }
}

std::optional<WorkerNotice> DecodeNotice(
    std::span<const std::int64_t, NoticeBoard::kWords> first,
    std::span<const std::int64_t, NoticeBoard::kWords> second) {
  const bool changes = (first[kVersion] & 1) != 0 || first[kVersion] != second[kVersion];
  if (changes) return std::nullopt;
  WorkerNotice notice;
  std::size_t at = kCounts;
  VisitCounts(notice, [&](const char* /*name*/, auto& count) {
    count = static_cast<std::remove_reference_t<decltype(count)>>(first[at++]);
  });
  notice.last_error_us = first[at];
  notice.not_ready = TextAt(first, kNotReady);
  notice.last_error = TextAt(first, kLastError);
  return notice;
}

}  // namespace tasker::store
