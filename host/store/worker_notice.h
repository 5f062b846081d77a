#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tasker::store {

// What a worker says of itself to whoever asks. The counts are since it joined the store.
struct WorkerNotice {
  std::uint64_t turns = 0, commits = 0, claimed = 0, ended = 0, submitted = 0;
  std::int64_t in_flight = 0, places = 0;  // attempts that it holds, and may hold
  std::string not_ready;                   // why it claims nothing; empty: it claims
  std::string last_error;
  std::int64_t last_error_us = 0;  // when it came, since the epoch; 0: none
};

// Each count with its name, in the order of its words.
template <typename Notice, typename Visit>
void VisitCounts(Notice& notice, const Visit& visit) {
  visit("turns", notice.turns);
  visit("commits", notice.commits);
  visit("claimed", notice.claimed);
  visit("ended", notice.ended);
  visit("submitted", notice.submitted);
  visit("in_flight", notice.in_flight);
  visit("places", notice.places);
}

// Keeps the notice in words that other processes read: no message is needed, and a worker that is
// stopped or dead can be asked too. Each count is true by itself; the texts are of one writing, cut
// to kTextBytes. One thread writes.
class NoticeBoard final {
 public:
  static constexpr std::size_t kTextBytes = 240;
  static constexpr std::size_t kWords = 9 + 2 * kTextBytes / 8;
  using Words = std::span<std::atomic<std::int64_t>, kWords>;

  // The words are zero and outlive the object.
  explicit NoticeBoard(Words words) : words_(words) {}

  void Write(const WorkerNotice& notice);

 private:
  void WriteCount(std::size_t at, std::int64_t count);
  void WriteText(std::size_t first, std::string_view text);

  const Words words_;
  std::string not_ready_, last_error_;  // as they stand in the words
};

// Of the same words, copied once and then again: nothing when a text changed between the two.
std::optional<WorkerNotice> DecodeNotice(std::span<const std::int64_t, NoticeBoard::kWords> first,
                                         std::span<const std::int64_t, NoticeBoard::kWords> second);

}  // namespace tasker::store
