#include "package_audit/inventory.h"

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace package_audit {
namespace {

constexpr std::size_t kPackagesPerPulse = 256;
constexpr std::string_view kAll = "all";

// One alternative of a relation: "libc6:amd64 (>= 2.36)" without its version restriction.
struct Alternative {
  std::string_view name;
  std::string_view architecture;  // empty: any
};

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    const std::string_view part = Trim(text.substr(0, end));
    if (!part.empty()) parts.push_back(part);
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

Alternative ToAlternative(std::string_view text) {
  const std::string_view qualified = text.substr(0, text.find_first_of(" \t("));
  const std::size_t colon = qualified.find(':');
  if (colon == std::string_view::npos) return {qualified, {}};
  const std::string_view architecture = qualified.substr(colon + 1);
  return {qualified.substr(0, colon), architecture == "any" ? std::string_view() : architecture};
}

// Finds the package that meets a relation. Borrows the entries.
class Resolver final {
 public:
  explicit Resolver(const std::vector<Entry>& entries) : entries_(entries) {
    for (std::uint32_t i = 0; i < entries.size(); ++i) {
      by_name_[entries[i].name].push_back(i);
      if (entries[i].name == "dpkg") native_ = entries[i].architecture;
      for (const std::string_view provided : Split(entries[i].provides, ',')) {
        by_provides_[ToAlternative(provided).name].push_back(i);
      }
    }
  }

  std::optional<std::uint32_t> Resolve(std::string_view relation, std::uint32_t depender) const {
    for (const std::string_view text : Split(relation, '|')) {
      const Alternative alternative = ToAlternative(text);
      for (const auto* index : {&by_name_, &by_provides_}) {
        const auto candidates = index->find(alternative.name);
        if (candidates == index->end()) continue;
        if (const auto chosen = Choose(candidates->second, alternative, depender)) return chosen;
      }
    }
    return std::nullopt;
  }

 private:
  using Index = std::unordered_map<std::string_view, std::vector<std::uint32_t>>;

  std::optional<std::uint32_t> Choose(const std::vector<std::uint32_t>& candidates,
                                      const Alternative& alternative,
                                      std::uint32_t depender) const {
    const std::string_view own = entries_[depender].architecture;
    const std::string_view home = own == kAll ? native_ : own;
    std::optional<std::uint32_t> at_home;
    std::optional<std::uint32_t> anywhere;
    for (const std::uint32_t candidate : candidates) {
      const std::string_view architecture = entries_[candidate].architecture;
      if (!alternative.architecture.empty() && architecture != alternative.architecture &&
          architecture != kAll)
        continue;
      if (candidate == depender) return depender;
      if (!anywhere) anywhere = candidate;
      if (!at_home && (architecture == home || architecture == kAll)) at_home = candidate;
    }
    return at_home ? at_home : anywhere;
  }

  const std::vector<Entry>& entries_;
  Index by_name_;
  Index by_provides_;
  std::string_view native_;
};

}  // namespace

Inventory TakeInventory(StatusFile status, const std::string& path, const Pulse& pulse) {
  std::vector<Entry>& entries = status.installed;
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.name, a.architecture) < std::tie(b.name, b.architecture);
  });
  std::map<std::string_view, int> architectures;
  for (const Entry& entry : entries) ++architectures[entry.name];

  Inventory inventory;
  inventory.status_file = path;
  inventory.skipped = status.skipped;
  inventory.packages.reserve(entries.size());
  const Resolver resolver(entries);
  for (std::uint32_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    Package package;
    package.name =
        architectures[entry.name] > 1 ? entry.name + ":" + entry.architecture : entry.name;
    package.version = entry.version;
    package.section = entry.section;
    package.maintainer = entry.maintainer;
    package.installed_kib = entry.installed_kib;
    for (const std::string& field : {entry.pre_depends, entry.depends}) {
      for (const std::string_view relation : Split(field, ',')) {
        const auto target = resolver.Resolve(relation, i);
        if (!target) inventory.unmet.push_back({package.name, std::string(relation)});
        if (target && *target != i) package.depends.push_back(*target);
      }
    }
    std::sort(package.depends.begin(), package.depends.end());
    package.depends.erase(std::unique(package.depends.begin(), package.depends.end()),
                          package.depends.end());
    inventory.packages.push_back(std::move(package));
    if (i % kPackagesPerPulse == 0)
      pulse(static_cast<double>(i) / static_cast<double>(entries.size()));
  }
  return inventory;
}

boost::json::object ToJson(const Inventory& inventory) {
  boost::json::array packages;
  packages.reserve(inventory.packages.size());
  for (const Package& package : inventory.packages) {
    packages.push_back({{"name", package.name},
                        {"version", package.version},
                        {"section", package.section},
                        {"maintainer", package.maintainer},
                        {"installed_kib", package.installed_kib},
                        {"depends", boost::json::value_from(package.depends)}});
  }
  boost::json::array unmet;
  for (const UnmetRelation& one : inventory.unmet) {
    unmet.push_back({{"package", one.package}, {"relation", one.relation}});
  }
  return {{"status_file", inventory.status_file},
          {"skipped", inventory.skipped},
          {"packages", std::move(packages)},
          {"unmet", std::move(unmet)}};
}

Inventory InventoryFromJson(const boost::json::value& json) {
  using boost::json::value_to;
  Inventory inventory;
  inventory.status_file = value_to<std::string>(json.at("status_file"));
  inventory.skipped = value_to<std::size_t>(json.at("skipped"));
  const boost::json::array& packages = json.at("packages").as_array();
  for (const boost::json::value& one : packages) {
    Package package;
    package.name = value_to<std::string>(one.at("name"));
    package.version = value_to<std::string>(one.at("version"));
    package.section = value_to<std::string>(one.at("section"));
    package.maintainer = value_to<std::string>(one.at("maintainer"));
    package.installed_kib = value_to<std::uint64_t>(one.at("installed_kib"));
    package.depends = value_to<std::vector<std::uint32_t>>(one.at("depends"));
    for (const std::uint32_t target : package.depends) {
      if (target >= packages.size())
        throw std::out_of_range(package.name + " depends on a package that is not listed");
    }
    inventory.packages.push_back(std::move(package));
  }
  for (const boost::json::value& one : json.at("unmet").as_array()) {
    inventory.unmet.push_back(
        {value_to<std::string>(one.at("package")), value_to<std::string>(one.at("relation"))});
  }
  return inventory;
}

}  // namespace package_audit
