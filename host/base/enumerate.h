#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tasker {

// "a, b, and 3 more": the first `most` of them, for people.
inline std::string Enumerate(const std::vector<std::string>& words, std::size_t most = 10,
                             std::string_view separator = ", ") {
  const std::size_t named = std::min(words.size(), most);
  std::string text;
  for (std::size_t i = 0; i < named; ++i) text.append(i == 0 ? "" : separator).append(words[i]);
  if (words.size() > named)
    text.append(separator).append("and ").append(std::to_string(words.size() - named) + " more");
  return text;
}

// "a, b, c": all of them.
inline std::string Joined(const std::vector<std::string>& words) {
  return Enumerate(words, words.size());
}

}  // namespace tasker
