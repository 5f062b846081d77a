#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <string>

namespace package_audit {

// The results of the steps before `report`, as they came out of the store.
struct Findings {
  boost::json::value inventory;  // inventory.h
  boost::json::value sections;   // the others: analysis.h
  boost::json::value graph;
  boost::json::value reverse;
  boost::json::value maintainers;
};

// Everything but the list of packages, for programs:
// {"status_file", "packages", "skipped", "unmet", "section_sizes", "dependency_graph",
// "reverse_dependencies", "maintainers"}
boost::json::object JsonReport(const Findings& findings);

// The same for people: the totals and the first rows of every table. Takes what JsonReport made.
std::string MarkdownReport(const boost::json::object& report);

// The report's figures without its lists, small enough for the result of a step. Takes what
// JsonReport made.
boost::json::object Summary(const boost::json::object& report);

// Makes the file contain exactly `text`, durably: readers see the old file or the new one, never a
// part, also when the machine stops in between. The folder must exist. Throws std::system_error
// with the path.
void WriteAtomically(const std::filesystem::path& path, const std::string& text);

}  // namespace package_audit
