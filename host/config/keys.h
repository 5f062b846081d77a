#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.h"

namespace tasker::config {

// Where the value of one key lives in Config.
template <typename T>
struct Field {
  T& (*write)(Config&);
  const T& (*read)(const Config&);
};

// The kinds of keys: what is accepted, within which bounds (inclusive), and where it goes.
struct TextKey {
  Field<std::string> field;
};
struct TextListKey {
  Field<std::vector<std::string>> field;
};
struct PathKey {
  Field<std::string> field;
};
struct PathListKey {
  Field<std::vector<std::string>> field;
};
struct FlagKey {
  Field<bool> field;
};
struct IntegerKey {
  Field<std::int64_t> field;
  std::int64_t min;
  std::int64_t max;
};
struct SizeKey {
  Field<std::int64_t> field;  // bytes
  std::int64_t min;
  std::int64_t max;
};
struct DurationKey {
  Field<std::chrono::milliseconds> field;
  std::chrono::milliseconds min;
  std::chrono::milliseconds max;
};

// A word of the file for one value of an enum. The first word of a value is the one that is shown.
struct Choice {
  std::string_view word;
  int value;
};
struct ChoiceKey {
  std::span<const Choice> choices;
  int (*read)(const Config&);
  void (*write)(Config&, int);
};
// A table: module -> level.
struct LevelsKey {
  Field<std::map<std::string, LogLevel>> field;
};

// A table: name -> number.
struct CountsKey {
  Field<std::map<std::string, std::int64_t>> field;
  std::int64_t min;
  std::int64_t max;
};

// One key of worker.toml. Its default is what a Config{} holds; for an empty text or list see
// load.h.
struct Key {
  std::string_view name;  // dotted: "worker.threads"
  std::string_view env;   // the environment variable that sets it too; empty: none
  std::variant<TextKey, TextListKey, PathKey, PathListKey, FlagKey, IntegerKey, SizeKey,
               DurationKey, ChoiceKey, LevelsKey, CountsKey>
      kind;
  std::string_view meaning;  // one sentence, which config/worker.toml repeats
};

// Every key but those of [plugin.NAME], which belong to the plugins; in the order of
// config/worker.toml.
std::span<const Key> Keys();

// Null when there is none of that name.
const Key* FindKey(std::string_view name);

// The words for the levels of the log.
std::span<const Choice> LevelChoices();

// Whether some key stands in the section of that name.
bool IsSection(std::string_view name);

// The known key, or the known section, that looks most like an unknown one.
std::string_view NearestKey(std::string_view unknown);
std::string_view NearestSection(std::string_view unknown);

}  // namespace tasker::config
