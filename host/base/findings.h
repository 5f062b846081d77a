#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace tasker {

// One thing that somebody looked at for a person.
struct Finding {
  enum class Severity { kOk, kWarning, kError };
  std::string name;  // for scripts: "fsync", "exports", ...
  Severity severity = Severity::kOk;
  std::string found;  // a sentence
  std::string mend;   // what to do about it; empty: nothing
};

// What was found so far.
class Findings final {
 public:
  void Ok(std::string name, std::string found) {
    Add({std::move(name), Finding::Severity::kOk, std::move(found), {}});
  }
  void Warning(std::string name, std::string found, std::string mend) {
    Add({std::move(name), Finding::Severity::kWarning, std::move(found), std::move(mend)});
  }
  void Error(std::string name, std::string found, std::string mend) {
    Add({std::move(name), Finding::Severity::kError, std::move(found), std::move(mend)});
  }
  void Add(Finding finding) { list_.push_back(std::move(finding)); }

  const std::vector<Finding>& list() const { return list_; }
  std::ptrdiff_t CountOf(Finding::Severity severity) const {
    return std::ranges::count(list_, severity, &Finding::severity);
  }

 private:
  std::vector<Finding> list_;
};

}  // namespace tasker
