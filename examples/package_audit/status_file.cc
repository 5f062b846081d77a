#include "package_audit/status_file.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "package_audit/unusable_input.h"

namespace package_audit {
namespace {

constexpr std::string_view kInstalled = "install ok installed";
constexpr std::string_view kNone = "(none)";
constexpr std::size_t kParagraphsPerPulse = 256;

// Field names compare without case, as dpkg compares them.
struct LessWithoutCase {
  using is_transparent = void;
  static char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
  bool operator()(std::string_view a, std::string_view b) const {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                        [](char x, char y) { return Lower(x) < Lower(y); });
  }
};

struct Paragraph {
  std::size_t line = 0;  // of its first field
  std::map<std::string, std::string, LessWithoutCase> fields;

  std::string Get(std::string_view field, std::string_view fallback = "") const {
    const auto found = fields.find(field);
    return std::string(found == fields.end() || found->second.empty()
                           ? fallback
                           : std::string_view(found->second));
  }
};

[[noreturn]] void Garbled(const std::string& path, std::size_t line, const std::string& what) {
  throw UnusableInput(path + ":" + std::to_string(line) + ": " + what +
                      "; this is no status file of dpkg, or a damaged one (dpkg keeps the previous "
                      "one as status-old)");
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// Everything the audit takes from the file ends up in JSON, which must be UTF-8. Boost.JSON writes
// any bytes but reads back only valid ones.
bool IsUtf8(std::string_view text) {
  boost::json::error_code error;
  boost::json::parse(boost::json::serialize(boost::json::string(text)), error);
  return !error;
}

// Splits the text into paragraphs.
class Reader final {
 public:
  Reader(std::string_view text, const std::string& path) : rest_(text), path_(path) {}

  // The next paragraph that has a field; false at the end.
  bool Next(Paragraph& paragraph) {
    paragraph = {};
    std::string* value = nullptr;
    std::string_view line;
    while (TakeLine(line)) {
      if (Trim(line).empty()) {
        if (value != nullptr) return true;
      } else if (line.front() == ' ' || line.front() == '\t') {
        if (value == nullptr) Garbled(path_, line_, "an indented line continues no field");
        value->append(" ").append(Trim(line));
      } else {
        value = &AddField(line, paragraph);
      }
    }
    return value != nullptr;
  }

  std::size_t BytesLeft() const { return rest_.size(); }

 private:
  bool TakeLine(std::string_view& line) {
    if (rest_.empty()) return false;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++line_;
    if (line.find('\0') != std::string_view::npos)
      Garbled(path_, line_, "the line contains a zero byte");
    return true;
  }

  std::string& AddField(std::string_view line, Paragraph& paragraph) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 ||
        Trim(line.substr(0, colon)).size() != colon) {
      Garbled(path_, line_, "expected \"Field: value\"");
    }
    if (paragraph.fields.empty()) paragraph.line = line_;
    auto [field, added] =
        paragraph.fields.emplace(line.substr(0, colon), Trim(line.substr(colon + 1)));
    if (!added)
      Garbled(path_, line_, "the field " + field->first + " occurs twice in one paragraph");
    return field->second;
  }

  std::string_view rest_;
  const std::string& path_;
  std::size_t line_ = 0;
};

std::uint64_t ReadSize(const Paragraph& paragraph, const std::string& path) {
  const std::string text = paragraph.Get("Installed-Size", "0");
  std::uint64_t kib = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), kib);
  if (error != std::errc() || end != text.data() + text.size()) {
    Garbled(path, paragraph.line,
            "Installed-Size of " + paragraph.Get("Package") + " is no number: " + text);
  }
  return kib;
}

Entry ToEntry(const Paragraph& paragraph, const std::string& path) {
  Entry entry;
  entry.name = paragraph.Get("Package");
  entry.architecture = paragraph.Get("Architecture");
  entry.version = paragraph.Get("Version");
  entry.section = paragraph.Get("Section", kNone);
  entry.maintainer = paragraph.Get("Maintainer", kNone);
  entry.installed_kib = ReadSize(paragraph, path);
  entry.provides = paragraph.Get("Provides");
  entry.pre_depends = paragraph.Get("Pre-Depends");
  entry.depends = paragraph.Get("Depends");
  for (const char* field : {"Architecture", "Version"}) {
    if (paragraph.Get(field).empty()) {
      Garbled(path, paragraph.line, "the installed package " + entry.name + " has no " + field);
    }
  }
  for (const std::string* text :
       {&entry.name, &entry.architecture, &entry.version, &entry.section, &entry.maintainer,
        &entry.provides, &entry.pre_depends, &entry.depends}) {
    if (!IsUtf8(*text)) Garbled(path, paragraph.line, "a field of this paragraph is not UTF-8");
  }
  return entry;
}

}  // namespace

std::string ReadStatusFile(const std::string& path) {
  const std::string attempt = "cannot read the package status file " + path + ": ";
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw UnusableInput(attempt + "it is a folder; name dpkg's status file");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  // An empty file sets failbit on `text`; the parser has the better message for it.
  if (!file.is_open() || file.bad()) {
    throw UnusableInput(attempt + (errno != 0 ? std::strerror(errno) : "input error") +
                        "; name a readable copy as \"status_file\" in the task's context");
  }
  return std::move(text).str();
}

StatusFile ParseStatusFile(std::string_view text, const std::string& path, const Pulse& pulse) {
  StatusFile status;
  std::set<std::pair<std::string, std::string>> seen;
  Reader reader(text, path);
  Paragraph paragraph;
  for (std::size_t count = 1; reader.Next(paragraph); ++count) {
    if (paragraph.Get("Package").empty())
      Garbled(path, paragraph.line, "the paragraph has no field Package");
    if (paragraph.Get("Status").empty()) {
      Garbled(path, paragraph.line,
              "the package " + paragraph.Get("Package") + " has no field Status");
    }
    if (paragraph.Get("Status") != kInstalled) {
      ++status.skipped;
    } else {
      Entry entry = ToEntry(paragraph, path);
      if (!seen.emplace(entry.name, entry.architecture).second) {
        Garbled(path, paragraph.line,
                "the package " + entry.name + ":" + entry.architecture + " is listed twice");
      }
      status.installed.push_back(std::move(entry));
    }
    if (count % kParagraphsPerPulse == 0) {
      pulse(1.0 - static_cast<double>(reader.BytesLeft()) / static_cast<double>(text.size()));
    }
  }
  if (status.installed.empty()) {
    throw UnusableInput(path + ": no package in it is installed; is it a status file of dpkg?");
  }
  return status;
}

}  // namespace package_audit
