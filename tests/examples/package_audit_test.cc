#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "package_audit/analysis.h"
#include "package_audit/dependency_graph.h"
#include "package_audit/inventory.h"
#include "package_audit/report.h"
#include "package_audit/status_file.h"
#include "package_audit/unusable_input.h"

namespace package_audit {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void Idle(double) {}

// base <-> libc is a cycle through Pre-Depends; app -> mailer is by Provides; tool depends on libc
// by its second alternative; ghost is not installed. Blank lines, folded fields and fields with
// dots are as dpkg writes them.
constexpr char kStatus[] = R"(Package: libc
Status: install ok installed
Priority: optional
Section: libs
Installed-Size: 1000
Maintainer: C Team <c@example.org>
Architecture: amd64
Multi-Arch: same
Version: 2.36-9
Depends: base (>= 1:2.0)
Conffiles:
 /etc/ld.so.conf 0123456789abcdef
Description: the C library
 A longer text: with a colon,
 .
 and an empty line.

Package: base
Status: install ok installed
Section: admin
Installed-Size: 500
Maintainer: Ada | Base <ada@example.org>
Architecture: all
Version: 1:2.1
Pre-Depends: libc

Package: ghost
Status: deinstall ok config-files
Section: libs
Installed-Size: 9999
Maintainer: Nobody <nobody@example.org>
Architecture: amd64
Version: 0.1
Depends: libc

Package: mailer
Status: install ok installed
Section: mail
Installed-Size: 20
Maintainer: C Team <c@example.org>
Architecture: amd64
Version: 3
Provides: mail-transport-agent (= 3), smtp
Depends: libc (>= 2.30), mail-transport-agent

Package: app
Status: install ok installed
Section: mail
Installed-Size: 30
Maintainer: C Team <c@example.org>
Architecture: amd64
Version: 4
Depends: ghost | mail-transport-agent, libc:amd64,
 base:any (>= 1), libc (<< 3)

Package: tool
Status: install ok installed
Architecture: amd64
Version: 5
Depends: ghost | libc (>= 2) | mailer, ghost (>= 1) | phantom
)";

Inventory TakeFrom(const std::string& text) {
  return TakeInventory(ParseStatusFile(text, "status", Idle), "status", Idle);
}

std::string Paragraph(const std::string& name, const std::string& architecture,
                      const std::string& more = "") {
  return "Package: " + name + "\nStatus: install ok installed\nArchitecture: " + architecture +
         "\nVersion: 1\n" + more + "\n";
}

// Package -> the packages that it has edges to.
std::map<std::string, std::vector<std::string>> Edges(const Inventory& inventory) {
  std::map<std::string, std::vector<std::string>> edges;
  for (const Package& package : inventory.packages) {
    auto& targets = edges[package.name];
    for (const std::uint32_t target : package.depends)
      targets.push_back(inventory.packages[target].name);
  }
  return edges;
}

std::string RefusalOf(const std::string& text) {
  try {
    ParseStatusFile(text, "status", Idle);
  } catch (const UnusableInput& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(StatusFile, KeepsOnlyWhatIsInstalled) {
  const StatusFile status = ParseStatusFile(kStatus, "status", Idle);
  ASSERT_EQ(status.installed.size(), 5u);
  EXPECT_EQ(status.skipped, 1u);
  EXPECT_EQ(status.installed[1].name, "base");
  EXPECT_EQ(status.installed[1].version, "1:2.1");
  EXPECT_EQ(status.installed[1].installed_kib, 500u);
}

TEST(StatusFile, FillsInWhatAParagraphLacks) {
  const Entry tool = ParseStatusFile(kStatus, "status", Idle).installed.back();
  EXPECT_EQ(tool.section, "(none)");
  EXPECT_EQ(tool.maintainer, "(none)");
  EXPECT_EQ(tool.installed_kib, 0u);
}

TEST(StatusFile, JoinsFoldedFields) {
  EXPECT_EQ(ParseStatusFile(kStatus, "status", Idle).installed[3].depends,
            "ghost | mail-transport-agent, libc:amd64, base:any (>= 1), libc (<< 3)");
}

TEST(StatusFile, ReadsFieldNamesWithoutCaseAndLinesWithCarriageReturns) {
  const StatusFile status = ParseStatusFile(
      "package: a\r\nSTATUS: install ok installed\r\narchitecture: all\r\nversion: 1\r\n\r\n",
      "status", Idle);
  EXPECT_EQ(status.installed.at(0).architecture, "all");
}

TEST(StatusFile, NamesTheLineOfWhatDpkgWouldNotWrite) {
  const std::string good = Paragraph("a", "all");  // five lines
  EXPECT_THAT(RefusalOf(good + "no field here\n"),
              HasSubstr("status:6: expected \"Field: value\""));
  EXPECT_THAT(RefusalOf(" indented\n"), HasSubstr("status:1: an indented line continues no field"));
  EXPECT_THAT(RefusalOf(good + "Status: install ok installed\n"),
              HasSubstr("status:6: the paragraph has no field Package"));
  EXPECT_THAT(RefusalOf(good + "Package: b\n"),
              HasSubstr("status:6: the package b has no field Status"));
  EXPECT_THAT(RefusalOf("Package: b\nStatus: install ok installed\nVersion: 1\n"),
              HasSubstr("b has no Architecture"));
  EXPECT_THAT(RefusalOf("Package: b\nPackage: c\n"),
              HasSubstr("status:2: the field Package occurs twice"));
  EXPECT_THAT(RefusalOf(good + Paragraph("a", "all")),
              HasSubstr("status:6: the package a:all is listed twice"));
  EXPECT_THAT(RefusalOf(Paragraph("b", "all", "Installed-Size: 12x\n")),
              HasSubstr("Installed-Size of b is no number: 12x"));
  EXPECT_THAT(RefusalOf(Paragraph("b", "all", "Maintainer: J\xf6rg\n")),
              HasSubstr("status:1: a field of this paragraph"));
  EXPECT_THAT(RefusalOf(good + std::string("\0ELF", 4)),
              HasSubstr("status:6: the line contains a zero byte"));
}

TEST(StatusFile, RefusesAFileWithoutInstalledPackages) {
  EXPECT_THAT(RefusalOf(""), HasSubstr("no package in it is installed"));
  EXPECT_THAT(RefusalOf("Package: a\nStatus: purge ok not-installed\n"),
              HasSubstr("no package in it is installed"));
}

TEST(StatusFile, SaysWhyAFileCannotBeRead) {
  EXPECT_THAT([] { ReadStatusFile("/nonexistent/status"); },
              testing::ThrowsMessage<UnusableInput>(
                  HasSubstr("/nonexistent/status: No such file or directory")));
  EXPECT_THAT([] { ReadStatusFile("/"); },
              testing::ThrowsMessage<UnusableInput>(HasSubstr("it is a folder")));
}

TEST(StatusFile, StopsWhenThePulseThrows) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += Paragraph("p" + std::to_string(i), "all");
  int pulses = 0;
  const Pulse stop_at_second = [&pulses](double progress) {
    EXPECT_GT(progress, 0);
    EXPECT_LT(progress, 1);
    if (++pulses == 2) throw std::runtime_error("stop");
  };
  EXPECT_THROW(ParseStatusFile(text, "status", stop_at_second), std::runtime_error);
  EXPECT_EQ(pulses, 2);
}

TEST(Inventory, ResolvesAlternativesVirtualPackagesAndPreDepends) {
  const auto edges = Edges(TakeFrom(kStatus));
  EXPECT_THAT(edges.at("base"), ElementsAre("libc"));
  EXPECT_THAT(edges.at("libc"), ElementsAre("base"));
  EXPECT_THAT(edges.at("app"), ElementsAre("base", "libc", "mailer"));
  EXPECT_THAT(edges.at("tool"), ElementsAre("libc"));
}

TEST(Inventory, MakesNoEdgeForWhatAPackageProvidesItself) {
  EXPECT_THAT(Edges(TakeFrom(kStatus)).at("mailer"), ElementsAre("libc"));
}

TEST(Inventory, ListsRelationsThatNothingMeets) {
  const Inventory inventory = TakeFrom(kStatus);
  ASSERT_EQ(inventory.unmet.size(), 1u);
  EXPECT_EQ(inventory.unmet[0].package, "tool");
  EXPECT_EQ(inventory.unmet[0].relation, "ghost (>= 1) | phantom");
}

TEST(Inventory, PrefersARealPackageOverAProviderAndTheFirstProviderByName) {
  const auto edges =
      Edges(TakeFrom(Paragraph("z", "all", "Provides: real, virtual\n") +
                     Paragraph("y", "all", "Provides: virtual\n") + Paragraph("real", "all") +
                     Paragraph("user", "all", "Depends: real, virtual\n")));
  EXPECT_THAT(edges.at("user"), ElementsAre("real", "y"));
}

TEST(Inventory, TellsArchitecturesApart) {
  const auto edges = Edges(
      TakeFrom(Paragraph("dpkg", "i386") + Paragraph("lib", "amd64") + Paragraph("lib", "i386") +
               Paragraph("data", "all") + Paragraph("a64", "amd64", "Depends: lib, data:amd64\n") +
               Paragraph("a32", "i386", "Depends: lib\n") +
               Paragraph("cross", "amd64", "Depends: lib:i386, tool:any\n") +
               Paragraph("tool", "i386") + Paragraph("script", "all", "Depends: lib\n") +
               Paragraph("strict", "i386", "Depends: tool:amd64\n")));
  EXPECT_THAT(edges.at("a64"), ElementsAre("data", "lib:amd64"));
  EXPECT_THAT(edges.at("a32"), ElementsAre("lib:i386"));
  EXPECT_THAT(edges.at("cross"), ElementsAre("lib:i386", "tool"));
  EXPECT_THAT(edges.at("script"), ElementsAre("lib:i386"));  // where dpkg itself is at home
  EXPECT_THAT(edges.at("strict"), IsEmpty());
}

TEST(Inventory, SurvivesTheRoundTripThroughJson) {
  const Inventory inventory = TakeFrom(kStatus);
  const std::string text = json::serialize(ToJson(inventory));
  const Inventory read = InventoryFromJson(json::parse(text));
  EXPECT_EQ(json::serialize(ToJson(read)), text);
  EXPECT_EQ(Edges(read), Edges(inventory));
}

TEST(Inventory, RefusesJsonWhoseEdgesLeadNowhere) {
  json::value json = ToJson(TakeFrom(kStatus));
  json.at("packages").at(0).at("depends").as_array().push_back(99);
  EXPECT_THROW(InventoryFromJson(json), std::out_of_range);
}

TEST(Inventory, StaysFarBelowTheResultLimitWithThreeThousandPackages) {
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    std::string depends = "Depends: ";
    for (int j = 1; j <= 20; ++j)
      depends += (j > 1 ? ", package-with-a-long-name-" : "package-with-a-long-name-") +
                 std::to_string((i + j) % 3000);
    text += Paragraph(
        "package-with-a-long-name-" + std::to_string(i), "amd64",
        "Maintainer: A Team With A Long Name <team-with-a-long-name@lists.example.org>\n" +
            depends + "\n");
  }
  EXPECT_LT(json::serialize(ToJson(TakeFrom(text))).size(), std::size_t{2} << 20);
}

TEST(DependencyGraph, FindsNestedAndSeparateCycles) {
  // 0 -> 1 -> 2 -> 0 with the chord 1 -> 0; 3 <-> 4, entered from 2; 5 alone.
  const Graph graph = {{1}, {0, 2}, {0, 3}, {4}, {3}, {}};
  EXPECT_THAT(StronglyConnectedComponents(graph, Idle),
              ElementsAre(ElementsAre(0, 1, 2), ElementsAre(3, 4), ElementsAre(5)));
}

TEST(DependencyGraph, WalksChainsDeeperThanAnyStack) {
  constexpr std::uint32_t kLength = 500'000;
  Graph graph(kLength);
  for (std::uint32_t i = 0; i + 1 < kLength; ++i) graph[i].push_back(i + 1);
  EXPECT_EQ(StronglyConnectedComponents(graph, Idle).size(), kLength);
  graph.back().push_back(0);
  EXPECT_EQ(StronglyConnectedComponents(graph, Idle).size(), 1u);
}

TEST(DependencyGraph, RanksAsSolvedByHand) {
  // Both leaves point at the hub, the hub at nothing: with x the rank of a leaf and h that of the
  // hub, x = 0.05 + 0.85 h / 3, h = x + 0.85 * 2 x, 2 x + h = 1.
  const PageRanks ranked = PageRank({{2}, {2}, {}}, Idle);
  const double leaf = 1.0 / 4.7;
  EXPECT_NEAR(ranked.ranks[0], leaf, 1e-9);
  EXPECT_NEAR(ranked.ranks[1], leaf, 1e-9);
  EXPECT_NEAR(ranked.ranks[2], 2.7 * leaf, 1e-9);
  EXPECT_LT(ranked.delta, 1e-10);
  EXPECT_LT(ranked.rounds, 200);
}

TEST(DependencyGraph, KeepsTheSumOfRanksAndStopsAtTheRoundLimit) {
  const PageRanks ranked = PageRank({{1}, {0, 2}, {}}, Idle, {0.85, 0, 7});
  EXPECT_EQ(ranked.rounds, 7);
  EXPECT_NEAR(std::accumulate(ranked.ranks.begin(), ranked.ranks.end(), 0.0), 1.0, 1e-12);
}

TEST(DependencyGraph, ReachesThroughCyclesWithoutTheSources) {
  const Graph graph = {{1}, {2}, {0, 3}, {}, {0}};
  EXPECT_THAT(ReachableFrom(graph, {0}, Idle), ElementsAre(1, 2, 3));
  EXPECT_THAT(ReachableFrom(Reversed(graph), {3}, Idle), ElementsAre(0, 1, 2, 4));
}

TEST(Analysis, AddsUpSectionsLargestFirst) {
  const json::object sizes = SectionSizes(TakeFrom(kStatus));
  EXPECT_EQ(
      json::serialize(sizes),
      R"({"installed_kib":1550,"sections":[{"section":"libs","packages":1,"installed_kib":1000},)"
      R"({"section":"admin","packages":1,"installed_kib":500},{"section":"mail","packages":2,"installed_kib":50},)"
      R"json({"section":"(none)","packages":1,"installed_kib":0}]})json");
}

TEST(Analysis, ReportsCyclesAndRanksByName) {
  const json::value graph = DependencyGraph(TakeFrom(kStatus), Idle);
  EXPECT_EQ(graph.at("packages").as_uint64(), 5u);
  EXPECT_EQ(graph.at("edges").as_uint64(), 7u);
  EXPECT_EQ(graph.at("components").as_uint64(), 4u);
  EXPECT_EQ(json::serialize(graph.at("cycles")), R"([["base","libc"]])");
  const json::array& ranks = graph.at("page_rank").at("ranks").as_array();
  ASSERT_EQ(ranks.size(), 5u);
  EXPECT_EQ(ranks[0].at("package"), "libc");
}

TEST(Analysis, ListsDirectAndTransitiveReverseDependencies) {
  const Inventory inventory = TakeFrom(kStatus);
  EXPECT_EQ(
      json::serialize(ReverseDependencies(inventory, "mailer", Idle)),
      R"({"package":"mailer","direct":{"count":1,"packages":["app"]},"transitive":{"count":1,"packages":["app"]}})");
  // base is in a cycle with libc, and still is not listed as needing itself.
  EXPECT_EQ(json::serialize(ReverseDependencies(inventory, "base", Idle)),
            R"({"package":"base","direct":{"count":2,"packages":["app","libc"]},)"
            R"("transitive":{"count":4,"packages":["app","libc","mailer","tool"]}})");
}

TEST(Analysis, TakesANameWithoutArchitectureForAllOfThem) {
  const Inventory inventory = TakeFrom(
      Paragraph("lib", "amd64") + Paragraph("lib", "i386", "Depends: lib:amd64\n") +
      Paragraph("a", "amd64", "Depends: lib\n") + Paragraph("b", "i386", "Depends: lib\n"));
  EXPECT_EQ(ReverseDependencies(inventory, "lib", Idle).at("direct").at("count").as_uint64(), 2u);
  EXPECT_EQ(ReverseDependencies(inventory, "lib:i386", Idle).at("direct").at("count").as_uint64(),
            1u);
}

TEST(Analysis, RefusesAPackageThatIsNotInstalled) {
  const Inventory inventory = TakeFrom(kStatus);
  EXPECT_THAT([&] { ReverseDependencies(inventory, "ghost", Idle); },
              testing::ThrowsMessage<UnusableInput>(
                  HasSubstr("the package ghost is not installed according to status")));
}

TEST(Analysis, CountsMaintainersMostPackagesFirst) {
  EXPECT_EQ(
      json::serialize(Maintainers(TakeFrom(kStatus))),
      R"({"maintainers":[{"maintainer":"C Team <c@example.org>","packages":3},)"
      R"json({"maintainer":"(none)","packages":1},{"maintainer":"Ada | Base <ada@example.org>","packages":1}]})json");
}

json::object ReportOf(const Inventory& inventory, const std::string& package) {
  return JsonReport({ToJson(inventory), SectionSizes(inventory), DependencyGraph(inventory, Idle),
                     ReverseDependencies(inventory, package, Idle), Maintainers(inventory)});
}

TEST(Report, TellsPeopleTheSameFigures) {
  const std::string markdown = MarkdownReport(ReportOf(TakeFrom(kStatus), "base"));
  EXPECT_THAT(
      markdown,
      HasSubstr("From `status`: 5 packages, 1.5 MiB installed; 1 entries in other states were left "
                "out, 1 dependencies are not met."));
  EXPECT_THAT(markdown, HasSubstr("| 1 | libs | 1 | 1.0 MiB |\n"));
  EXPECT_THAT(markdown, HasSubstr("7 edges; 4 strongly connected components, 1 of them cycles of "
                                  "several packages.\n\n- base, libc\n"));
  EXPECT_THAT(markdown,
              HasSubstr("2 packages depend on it directly, 4 in all.\n\nDirectly: app, libc.\n"));
  EXPECT_THAT(markdown, HasSubstr("| 3 | Ada \\| Base <ada@example.org> | 1 |\n"));
}

TEST(Report, SummarisesWithoutLists) {
  const json::object summary = Summary(ReportOf(TakeFrom(kStatus), "base"));
  EXPECT_EQ(summary.at("packages").as_uint64(), 5u);
  EXPECT_EQ(summary.at("transitive_reverse_dependencies").as_uint64(), 4u);
  EXPECT_EQ(summary.at("largest_section").at("section"), "libs");
  EXPECT_LT(json::serialize(summary).size(), 1024u);
}

class AtomicFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "package_audit_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
      names.push_back(entry.path().filename());
    return names;
  }

  std::filesystem::path folder_;
};

TEST_F(AtomicFile, ReplacesTheFileAndLeavesNothingElse) {
  const std::filesystem::path path = folder_ / "report.md";
  WriteAtomically(path, "a longer first version");
  WriteAtomically(path, "second");
  std::ifstream file(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "second");
  EXPECT_THAT(Files(), ElementsAre("report.md"));
  struct stat status = {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0644u);
}

TEST_F(AtomicFile, LeavesNothingBehindWhenItFails) {
  std::filesystem::create_directory(folder_ / "report.md");
  EXPECT_THAT([&] { WriteAtomically(folder_ / "report.md", "text"); },
              testing::ThrowsMessage<std::system_error>(
                  HasSubstr("cannot replace " + (folder_ / "report.md").string())));
  EXPECT_THAT(Files(), ElementsAre("report.md"));
  EXPECT_THAT([&] { WriteAtomically(folder_ / "missing" / "report.md", "text"); },
              testing::ThrowsMessage<std::system_error>(HasSubstr("cannot create a file beside")));
}

}  // namespace
}  // namespace package_audit
