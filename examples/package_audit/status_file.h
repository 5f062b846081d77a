#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "package_audit/pulse.h"

namespace package_audit {

// One installed package: the fields of its paragraph that the audit uses. Text is UTF-8.
struct Entry {
  std::string name;
  std::string architecture;  // such as "amd64", or "all"
  std::string version;
  std::string section;              // "(none)" where the paragraph has none
  std::string maintainer;           // "(none)" where the paragraph has none
  std::uint64_t installed_kib = 0;  // dpkg's estimate; 0 where the paragraph has none
  std::string provides;             // relation fields, as they are written
  std::string pre_depends;
  std::string depends;
};

struct StatusFile {
  std::vector<Entry> installed;  // in the file's order, at least one
  std::size_t skipped = 0;  // paragraphs with another Status: removed with its configuration left,
                            // half installed, held
};

// The whole file. Throws UnusableInput when it cannot be read.
std::string ReadStatusFile(const std::string& path);

// Keeps the paragraphs whose Status is "install ok installed". `path` is for messages. Throws
// UnusableInput, with the line, for what dpkg would not write.
StatusFile ParseStatusFile(std::string_view text, const std::string& path, const Pulse& pulse);

}  // namespace package_audit
