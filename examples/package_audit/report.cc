#include "package_audit/report.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iomanip>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace package_audit {
namespace {

namespace json = boost::json;

constexpr std::size_t kRows =
    15;  // of a table in the Markdown report; the JSON report has them all

std::string Text(const json::value& value) { return json::value_to<std::string>(value); }

// A cell of a Markdown table.
std::string Cell(const json::value& value) {
  std::string cell;
  for (const char c : Text(value)) {
    if (c == '|') cell += '\\';
    cell += c;
  }
  return cell;
}

std::string Mebibytes(const json::value& kib) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(1) << kib.to_number<double>() / 1024 << " MiB";
  return out.str();
}

std::string Joined(const json::array& names, std::size_t limit) {
  std::string joined;
  for (std::size_t i = 0; i < std::min(limit, names.size()); ++i)
    joined += (i == 0 ? "" : ", ") + Text(names[i]);
  if (names.size() > limit) joined += " and " + std::to_string(names.size() - limit) + " more";
  return joined;
}

// A heading and a table: the first rows of `rows`, each made of the cells that `cells` appends.
template <typename Cells>
void Table(std::ostream& out, std::string_view heading, std::string_view columns,
           const json::array& rows, Cells cells) {
  out << "\n## " << heading << "\n\n" << columns << '\n';
  for (std::size_t i = 0; i < std::min(kRows, rows.size()); ++i) {
    out << "| " << i + 1 << " | ";
    cells(rows[i].as_object());
    out << " |\n";
  }
  if (rows.size() > kRows) out << "\n" << rows.size() - kRows << " more are in the JSON report.\n";
}

[[noreturn]] void Fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

// An open file descriptor and the name of a file that is deleted unless it was renamed.
class TemporaryFile final {
 public:
  explicit TemporaryFile(const std::filesystem::path& target) : name_(target.string() + ".XXXXXX") {
    fd_ = ::mkostemp(name_.data(), O_CLOEXEC);
    if (fd_ < 0) Fail(errno, "cannot create a file beside " + target.string());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    ::close(fd_);
    if (!name_.empty()) ::unlink(name_.c_str());
  }

  void Write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(fd_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) Fail(errno, "cannot write " + name_);
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    // mkostemp gives the file to its owner alone; a report is for everybody.
    if (::fchmod(fd_, 0644) != 0 || ::fsync(fd_) != 0) Fail(errno, "cannot write " + name_);
  }

  void RenameTo(const std::filesystem::path& target) {
    if (::rename(name_.c_str(), target.c_str()) != 0)
      Fail(errno, "cannot replace " + target.string());
    name_.clear();
  }

 private:
  std::string name_;
  int fd_ = -1;
};

}  // namespace

json::object JsonReport(const Findings& findings) {
  const json::object& inventory = findings.inventory.as_object();
  return {{"status_file", inventory.at("status_file")},
          {"packages", inventory.at("packages").as_array().size()},
          {"skipped", inventory.at("skipped")},
          {"unmet", inventory.at("unmet")},
          {"section_sizes", findings.sections},
          {"dependency_graph", findings.graph},
          {"reverse_dependencies", findings.reverse},
          {"maintainers", findings.maintainers}};
}

std::string MarkdownReport(const json::object& report) {
  const json::object& graph = report.at("dependency_graph").as_object();
  const json::object& reverse = report.at("reverse_dependencies").as_object();
  const json::array& cycles = graph.at("cycles").as_array();
  const json::object& direct = reverse.at("direct").as_object();
  const json::object& transitive = reverse.at("transitive").as_object();
  std::ostringstream out;
  out << "# Installed packages\n\n"
      << "From `" << Text(report.at("status_file")) << "`: " << report.at("packages")
      << " packages, " << Mebibytes(report.at("section_sizes").at("installed_kib"))
      << " installed; " << report.at("skipped") << " entries in other states were left out, "
      << report.at("unmet").as_array().size() << " dependencies are not met.\n";

  Table(out, "Size by section", "| # | section | packages | installed |\n| --: | :-- | --: | --: |",
        report.at("section_sizes").at("sections").as_array(), [&out](const json::object& row) {
          out << Cell(row.at("section")) << " | " << row.at("packages") << " | "
              << Mebibytes(row.at("installed_kib"));
        });

  out << "\n## Dependencies\n\n"
      << graph.at("edges") << " edges; " << graph.at("components")
      << " strongly connected components, " << cycles.size()
      << " of them cycles of several packages.\n";
  if (!cycles.empty()) out << '\n';
  for (std::size_t i = 0; i < std::min(kRows, cycles.size()); ++i) {
    out << "- " << Joined(cycles[i].as_array(), kRows) << '\n';
  }

  Table(out, "Most depended on (PageRank)", "| # | package | rank |\n| --: | :-- | --: |",
        graph.at("page_rank").at("ranks").as_array(), [&out](const json::object& row) {
          out << Cell(row.at("package")) << " | " << std::fixed << std::setprecision(6)
              << row.at("rank").to_number<double>();
        });

  out << "\n## Who needs " << Text(reverse.at("package")) << "\n\n"
      << direct.at("count") << " packages depend on it directly, " << transitive.at("count")
      << " in all.\n";
  if (direct.at("count").to_number<std::size_t>() > 0) {
    out << "\nDirectly: " << Joined(direct.at("packages").as_array(), kRows) << ".\n";
  }

  Table(out, "Packages by maintainer", "| # | maintainer | packages |\n| --: | :-- | --: |",
        report.at("maintainers").at("maintainers").as_array(), [&out](const json::object& row) {
          out << Cell(row.at("maintainer")) << " | " << row.at("packages");
        });
  return std::move(out).str();
}

json::object Summary(const json::object& report) {
  const json::object& graph = report.at("dependency_graph").as_object();
  const json::object& reverse = report.at("reverse_dependencies").as_object();
  const json::array& sections = report.at("section_sizes").at("sections").as_array();
  const json::array& maintainers = report.at("maintainers").at("maintainers").as_array();
  return {{"packages", report.at("packages")},
          {"installed_kib", report.at("section_sizes").at("installed_kib")},
          {"sections", sections.size()},
          {"largest_section", sections.at(0)},
          {"edges", graph.at("edges")},
          {"components", graph.at("components")},
          {"cycles", graph.at("cycles").as_array().size()},
          {"highest_rank", graph.at("page_rank").at("ranks").as_array().at(0)},
          {"package", reverse.at("package")},
          {"direct_reverse_dependencies", reverse.at("direct").at("count")},
          {"transitive_reverse_dependencies", reverse.at("transitive").at("count")},
          {"maintainers", maintainers.size()},
          {"busiest_maintainer", maintainers.at(0)}};
}

void WriteAtomically(const std::filesystem::path& path, const std::string& text) {
  TemporaryFile file(path);
  file.Write(text);
  file.RenameTo(path);
  // The rename itself is durable once the folder is.
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) Fail(errno, "cannot open the folder " + folder.string());
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (error != 0) Fail(error, "cannot make " + path.string() + " durable");
}

}  // namespace package_audit
