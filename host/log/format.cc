#include "log/format.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace tasker::log {
namespace {

// Kept free at the end of a line for `,"cut":true,"repeated":18446744073709551615}`.
constexpr std::size_t kTail = 48;
constexpr std::size_t kBodyMax = kLineMax - kTail;
constexpr std::size_t kModuleMax = 128;
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

enum class Escaping { kJson, kText };

std::string_view LevelWord(Level level) {
  switch (level) {
    case Level::kTrace:
      return "trace";
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "error";
}

// The length of the UTF-8 character at the start of `text`; 0 if there is none, as for overlong
// forms and surrogates.
std::size_t CharacterLength(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned code = (first & 0x0fU) << 6 | (byte(1) & 0x3fU);
    return follows(1) && follows(2) && code >= 0x20 && (code < 0x360 || code > 0x37f) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned code = (first & 0x07U) << 6 | (byte(1) & 0x3fU);
    return follows(1) && follows(2) && follows(3) && code >= 0x10 && code <= 0x10f ? 4 : 0;
  }
  return 0;
}

// How one character stands in a line. C1 controls (U+0080..U+009F) steer terminals, too.
void AppendCharacter(std::string_view character, Escaping escaping, bool quoted, std::string& out) {
  const auto byte = static_cast<unsigned char>(character.front());
  const bool c1 = byte == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
  const unsigned code = c1 ? static_cast<unsigned char>(character[1]) : byte;
  if (quoted && (byte == '"' || byte == '\\')) {
    out.append("\\").append(character);
  } else if (byte == '\n') {
    out += "\\n";
  } else if (byte == '\t') {
    out += "\\t";
  } else if (byte == '\r') {
    out += "\\r";
  } else if (byte < 0x20 || byte == 0x7f || c1) {
    std::array<char, 8> escape{};
    std::snprintf(escape.data(), escape.size(), escaping == Escaping::kJson ? "\\u%04x" : "\\x%02x",
                  code);
    out += escape.data();
  } else {
    out += character;
  }
}

// Appends as much of the text as keeps `out` within `limit`; false if that is not all of it.
bool AppendEscaped(std::string_view text, Escaping escaping, bool quoted, std::size_t limit,
                   std::string& out) {
  while (!text.empty()) {
    const std::size_t length = CharacterLength(text);
    const std::size_t before = out.size();
    AppendCharacter(length == 0 ? kReplacement : text.substr(0, length), escaping, quoted, out);
    if (out.size() > limit) {
      out.resize(before);
      return false;
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return true;
}

// Where a message ends at the latest: half of a line is kept for the fields if they need it, since
// they name the task and the step.
std::size_t MessageLimit(const Fields& fields) {
  constexpr std::size_t kPunctuation =
      8;  // at most, of a field: `","":""` and the "_" of IsReserved
  std::size_t room = 0;
  for (const Field& field : fields) room += field.key.size() + field.value.size() + kPunctuation;
  return kBodyMax - std::min(room, kBodyMax / 2);
}

bool IsReserved(std::string_view key) {
  constexpr std::array<std::string_view, 6> kReserved = {"ts",      "level",    "module",
                                                         "message", "repeated", "cut"};
  return std::ranges::find(kReserved, key) != kReserved.end();
}

// False, and nothing appended, if there is no room for the key; false if there is none for all of
// the value.
bool AppendJsonField(const Field& field, std::string& out) {
  const std::size_t before = out.size();
  out += ",\"";
  bool whole = AppendEscaped(field.key, Escaping::kJson, true, kBodyMax, out);
  if (IsReserved(field.key)) out += '_';
  out += "\":";
  if (!whole || out.size() + (field.number ? field.value.size() : 2) > kBodyMax) {
    out.resize(before);
    return false;
  }
  if (field.number) {
    out += field.value;
    return true;
  }
  out += '"';
  whole = AppendEscaped(field.value, Escaping::kJson, true, kBodyMax - 1, out);
  out += '"';
  return whole;
}

bool NeedsQuotes(std::string_view value) {
  return value.empty() || value.find_first_of(" \"=\\\n\t\r") != std::string_view::npos;
}

bool AppendTextField(const Field& field, std::string& out) {
  const std::size_t before = out.size();
  const bool quoted = NeedsQuotes(field.value);
  out += ' ';
  bool whole = AppendEscaped(field.key, Escaping::kText, false, kBodyMax, out);
  out += '=';
  if (!whole || out.size() + 2 > kBodyMax) {
    out.resize(before);
    return false;
  }
  if (quoted) out += '"';
  whole = AppendEscaped(field.value, Escaping::kText, quoted, kBodyMax - 1, out);
  if (quoted) out += '"';
  return whole;
}

std::string Stamp(std::chrono::system_clock::time_point at, bool utc, const char* pattern) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(ms);
  const std::time_t time = seconds.count();
  std::tm parts{};
  if (utc) {
    ::gmtime_r(&time, &parts);
  } else {
    ::localtime_r(&time, &parts);
  }
  std::array<char, 40> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), pattern, &parts);
  std::snprintf(text.data() + size, text.size() - size, ".%03d",
                static_cast<int>((ms - seconds).count()));
  return text.data();
}

}  // namespace

std::string FormatJson(const Line& line) {
  std::string out = "{\"ts\":\"" + Stamp(line.at, true, "%Y-%m-%dT%H:%M:%S") + "Z\",\"level\":\"";
  out.append(LevelWord(line.level)).append("\",\"module\":\"");
  bool whole = AppendEscaped(line.module, Escaping::kJson, true, out.size() + kModuleMax, out);
  out += "\",\"message\":\"";
  whole =
      AppendEscaped(line.message, Escaping::kJson, true, MessageLimit(line.fields), out) && whole;
  out += '"';
  for (const Field& field : line.fields) whole = AppendJsonField(field, out) && whole;
  if (line.repeated > 0) out.append(",\"repeated\":").append(std::to_string(line.repeated));
  if (!whole) out += ",\"cut\":true";
  return out.append("}");
}

std::string FormatText(const Line& line) {
  std::string out = Stamp(line.at, false, "%H:%M:%S") + " ";
  const std::string_view level = LevelWord(line.level);
  constexpr std::size_t kLevelWidth = 7;
  out.append(level).append(kLevelWidth - level.size() + 1, ' ');
  bool whole = AppendEscaped(line.module, Escaping::kText, false, out.size() + kModuleMax, out);
  out += ": ";
  whole =
      AppendEscaped(line.message, Escaping::kText, false, MessageLimit(line.fields), out) && whole;
  for (const Field& field : line.fields) whole = AppendTextField(field, out) && whole;
  if (line.repeated > 0) out.append(" repeated=").append(std::to_string(line.repeated));
  if (!whole) out += " (cut)";
  return out;
}

}  // namespace tasker::log
