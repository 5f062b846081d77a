#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tasker {

// A UUID in network byte order. Nil by default.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const Uuid&) const = default;

  // 36 characters, lower case.
  std::string ToString() const;
  // The 36-character form in either case; nothing for anything else.
  static std::optional<Uuid> Parse(std::string_view text);
  // Version 7: sorts by the time it was made. Thread-safe.
  static Uuid New();
};

}  // namespace tasker
