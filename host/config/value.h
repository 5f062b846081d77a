#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "config/keys.h"

namespace tasker::config {

// A type that no key takes, in words: "a float".
struct Unusable {
  std::string what;
  bool operator==(const Unusable&) const = default;
};

// What a file or an environment variable gives for a key, or what Config holds for it.
using Value = std::variant<bool, std::int64_t, std::string, std::vector<std::string>, Unusable>;

// What the key takes, in words: "an integer from 0 to 1024".
std::string Expected(const Key& key);

// Checks the value and puts it into `config`; relative paths are taken from `base`. The error is
// "<shown_as> is <value>; expected <Expected(key)>".
Status Assign(const Key& key, std::string_view shown_as, const Value& value,
              const std::filesystem::path& base, Config& config);

// The same for one module of a LevelsKey.
Status AssignLevel(const LevelsKey& key, const std::string& module, std::string_view shown_as,
                   const Value& value, Config& config);

// The same for one name of a CountsKey.
Status AssignCount(const CountsKey& key, const std::string& name, std::string_view shown_as,
                   const Value& value, Config& config);

// The key's value in `config` as the file would give it; sizes as integers. Not for tables:
// empty.
Value Read(const Key& key, const Config& config);

// Without "." and ".." and without a slash at its end, so that a folder has one spelling.
std::string Absolute(std::string_view path, const std::filesystem::path& base);

// The word for a level.
std::string_view LevelWord(LogLevel level);

// 65536 -> "64KiB"; what is no multiple of 1 KiB as plain digits.
std::string FormatSize(std::int64_t bytes);

// In double quotes, with control characters, quotes and backslashes escaped, cut after 80 bytes.
std::string Quoted(std::string_view text);

}  // namespace tasker::config
