#include "base/uuid.h"

#include <sys/random.h>

#include <chrono>
#include <cstring>

#include "base/check.h"

namespace tasker {
namespace {

constexpr bool IsDashPosition(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string Uuid::ToString() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(36, '-');
  std::size_t at = 0;
  for (const std::uint8_t byte : bytes) {
    if (IsDashPosition(at)) ++at;
    out[at++] = kDigits[byte >> 4];
    out[at++] = kDigits[byte & 15];
  }
  return out;
}

std::optional<Uuid> Uuid::Parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid out;
  std::size_t digit = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (IsDashPosition(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = HexDigit(text[i]);
    if (value < 0) return std::nullopt;
    std::uint8_t& byte = out.bytes[digit / 2];
    byte = static_cast<std::uint8_t>((byte << 4) | value);
    ++digit;
  }
  return out;
}

Uuid Uuid::New() {
  Uuid out;
  CHECK(::getrandom(out.bytes.data(), out.bytes.size(), 0) == 16);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                      std::chrono::system_clock::now().time_since_epoch())
                      .count();
  for (std::size_t i = 0; i < 6; ++i) {
    out.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  }
  out.bytes[6] = static_cast<std::uint8_t>((out.bytes[6] & 0x0f) | 0x70);
  out.bytes[8] = static_cast<std::uint8_t>((out.bytes[8] & 0x3f) | 0x80);
  return out;
}

}  // namespace tasker
