#include "config/value.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iterator>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

namespace tasker::config {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
// Ascending: a value is shown in the largest unit that divides it.
constexpr Unit kDurationUnits[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Unit kSizeUnits[] = {{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

// Nothing unless the text is digits and one of the units, and the product fits.
std::optional<std::int64_t> ParseAmount(std::string_view text, std::span<const Unit> units) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  const std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const auto unit = std::ranges::find(units, name, &Unit::name);
  std::int64_t product = 0;
  if (unit == units.end() || __builtin_mul_overflow(number, unit->factor, &product))
    return std::nullopt;
  return product;
}

std::string FormatAmount(std::int64_t amount, std::span<const Unit> units) {
  if (amount == 0) return std::string("0").append(units[1].name);
  for (auto unit = units.rbegin(); unit != units.rend(); ++unit) {
    if (amount % unit->factor == 0) return std::to_string(amount / unit->factor).append(unit->name);
  }
  return std::to_string(amount);
}

std::string FormatDuration(milliseconds duration) {
  // A single day reads better as 24h.
  const std::span<const Unit> units = kDurationUnits;
  return FormatAmount(duration.count(),
                      duration > std::chrono::hours(24) ? units : units.first(units.size() - 1));
}

std::string ListOf(std::span<const Choice> choices) {
  std::string list;
  for (const Choice& choice : choices) {
    if (!list.empty()) list += ", ";
    list.append("\"").append(choice.word).append("\"");
  }
  return list;
}

std::string Describe(const Value& value) {
  struct Visitor {
    std::string operator()(bool flag) const {
      return flag ? "the boolean true" : "the boolean false";
    }
    std::string operator()(std::int64_t number) const {
      return "the integer " + std::to_string(number);
    }
    std::string operator()(const std::string& text) const { return "the string " + Quoted(text); }
    std::string operator()(const std::vector<std::string>& list) const {
      if (list.empty()) return "an empty list";
      return std::ranges::count(list, "") == 0 ? "a list of strings"
                                               : "a list with an empty string";
    }
    std::string operator()(const Unusable& other) const { return other.what; }
  };
  return std::visit(Visitor{}, value);
}

std::string Lower(std::string_view text) {
  std::string lower;
  std::ranges::transform(text, std::back_inserter(lower), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

std::optional<int> Chosen(std::span<const Choice> choices, const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return std::nullopt;
  const auto choice = std::ranges::find(choices, Lower(*text), &Choice::word);
  if (choice == choices.end()) return std::nullopt;
  return choice->value;
}

std::string_view WordOf(std::span<const Choice> choices, int value) {
  const auto choice = std::ranges::find(choices, value, &Choice::value);
  CHECK(choice != choices.end());
  return choice->word;
}

// A list of strings none of which is empty.
const std::vector<std::string>* AsTexts(const Value& value) {
  const auto* list = std::get_if<std::vector<std::string>>(&value);
  return list != nullptr && std::ranges::count(*list, "") == 0 ? list : nullptr;
}

// Puts a value into Config if the key takes it; one overload a kind of key.
struct Assigner {
  const Value& value;
  const std::filesystem::path& base;
  Config& config;

  bool operator()(const TextKey& key) const {
    return Copy(std::get_if<std::string>(&value), key.field);
  }
  bool operator()(const TextListKey& key) const { return Copy(AsTexts(value), key.field); }
  bool operator()(const FlagKey& key) const { return Copy(std::get_if<bool>(&value), key.field); }
  bool operator()(const PathKey& key) const {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr || text->empty()) return false;
    key.field.write(config) = Absolute(*text, base);
    return true;
  }
  bool operator()(const PathListKey& key) const {
    const auto* list = AsTexts(value);
    if (list == nullptr) return false;
    auto& paths = key.field.write(config);
    paths.clear();
    for (const std::string& path : *list) paths.push_back(Absolute(path, base));
    return true;
  }
  bool operator()(const IntegerKey& key) const {
    const auto* number = std::get_if<std::int64_t>(&value);
    return number != nullptr && Within(*number, key);
  }
  bool operator()(const SizeKey& key) const {
    if (const auto* bytes = std::get_if<std::int64_t>(&value)) return Within(*bytes, key);
    const auto* text = std::get_if<std::string>(&value);
    const auto bytes = text == nullptr ? std::nullopt : ParseAmount(*text, kSizeUnits);
    return bytes && Within(*bytes, key);
  }
  bool operator()(const DurationKey& key) const {
    const auto* text = std::get_if<std::string>(&value);
    const bool none = text != nullptr && *text == "0";
    const auto duration = none              ? std::optional<std::int64_t>(0)
                          : text == nullptr ? std::nullopt
                                            : ParseAmount(*text, kDurationUnits);
    return duration && Within(milliseconds(*duration), key);
  }
  bool operator()(const ChoiceKey& key) const {
    const auto chosen = Chosen(key.choices, value);
    if (chosen) key.write(config, *chosen);
    return chosen.has_value();
  }
  bool operator()(const LevelsKey&) const { return false; }
  bool operator()(const CountsKey&) const { return false; }

 private:
  template <typename T>
  bool Copy(const T* from, const Field<T>& field) const {
    if (from != nullptr) field.write(config) = *from;
    return from != nullptr;
  }
  template <typename T, typename K>
  bool Within(T number, const K& key) const {
    if (number < key.min || number > key.max) return false;
    key.field.write(config) = number;
    return true;
  }
};

std::string Between(std::int64_t min, std::int64_t max) {
  return "an integer from " + std::to_string(min) + " to " + std::to_string(max);
}

Error Rejected(std::string_view shown_as, const Value& value, std::string_view expected) {
  return Invalid(std::string(shown_as)
                     .append(" is ")
                     .append(Describe(value))
                     .append("; expected ")
                     .append(expected));
}

}  // namespace

std::string Expected(const Key& key) {
  struct Visitor {
    std::string operator()(const TextKey&) const { return "a string"; }
    std::string operator()(const TextListKey&) const { return "a list of non-empty strings"; }
    std::string operator()(const PathKey&) const { return "a path as a non-empty string"; }
    std::string operator()(const PathListKey&) const {
      return "a list of paths as non-empty strings";
    }
    std::string operator()(const FlagKey&) const { return "true or false"; }
    std::string operator()(const IntegerKey& key) const { return Between(key.min, key.max); }
    std::string operator()(const SizeKey& key) const {
      return "a size from " + FormatSize(key.min) + " to " + FormatSize(key.max) +
             ", in bytes as an integer or with its unit KiB, MiB or GiB as a string such as "
             "\"16MiB\"";
    }
    std::string operator()(const DurationKey& key) const {
      return "a duration from " + FormatDuration(key.min) + " to " + FormatDuration(key.max) +
             ", as a string with its unit ms, s, m, h or d, such as \"30s\"";
    }
    std::string operator()(const ChoiceKey& key) const { return "one of " + ListOf(key.choices); }
    std::string operator()(const LevelsKey&) const {
      return "a table of module names, each with one of " + ListOf(LevelChoices());
    }
    std::string operator()(const CountsKey& key) const {
      return "a table of names, each with " + Between(key.min, key.max);
    }
  };
  return std::visit(Visitor{}, key.kind);
}

Status Assign(const Key& key, std::string_view shown_as, const Value& value,
              const std::filesystem::path& base, Config& config) {
  if (std::visit(Assigner{value, base, config}, key.kind)) return Ok();
  std::string expected = Expected(key);
  // Whoever writes a bare number most likely means seconds.
  if (const auto* number = std::get_if<std::int64_t>(&value);
      number != nullptr && *number >= 0 && std::holds_alternative<DurationKey>(key.kind)) {
    expected += ": for seconds, write \"" + std::to_string(*number) + "s\"";
  }
  return Rejected(shown_as, value, expected);
}

Status AssignLevel(const LevelsKey& key, const std::string& module, std::string_view shown_as,
                   const Value& value, Config& config) {
  const auto chosen = Chosen(LevelChoices(), value);
  if (!chosen) return Rejected(shown_as, value, "one of " + ListOf(LevelChoices()));
  key.field.write(config)[module] = static_cast<LogLevel>(*chosen);
  return Ok();
}

Status AssignCount(const CountsKey& key, const std::string& name, std::string_view shown_as,
                   const Value& value, Config& config) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number == nullptr || *number < key.min || *number > key.max)
    return Rejected(shown_as, value, Between(key.min, key.max));
  key.field.write(config)[name] = *number;
  return Ok();
}

Value Read(const Key& key, const Config& config) {
  const auto read = [&](const auto& kind) -> Value {
    using Kind = std::decay_t<decltype(kind)>;
    if constexpr (std::is_same_v<Kind, DurationKey>) {
      return FormatDuration(kind.field.read(config));
    } else if constexpr (std::is_same_v<Kind, ChoiceKey>) {
      return std::string(WordOf(kind.choices, kind.read(config)));
    } else if constexpr (std::is_same_v<Kind, LevelsKey> || std::is_same_v<Kind, CountsKey>) {
      return std::vector<std::string>{};
    } else {
      return kind.field.read(config);
    }
  };
  return std::visit(read, key.kind);
}

std::string Absolute(std::string_view path, const std::filesystem::path& base) {
  const std::filesystem::path absolute = (base / path).lexically_normal();
  return (absolute.has_filename() ? absolute : absolute.parent_path()).string();
}

std::string_view LevelWord(LogLevel level) {
  return WordOf(LevelChoices(), static_cast<int>(level));
}

std::string FormatSize(std::int64_t bytes) { return FormatAmount(bytes, kSizeUnits); }

std::string Quoted(std::string_view text) {
  constexpr std::size_t kMax = 80;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string quoted = "\"";
  std::size_t end = std::min(text.size(), kMax);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted.append(1, '\\').append(1, c);
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted.append("\\x").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    } else {
      quoted += c;
    }
  }
  return quoted.append(end < text.size() ? "…\"" : "\"");
}

}  // namespace tasker::config
