#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "package_audit/pulse.h"
#include "package_audit/status_file.h"

namespace package_audit {

struct Package {
  std::string name;  // unique: dpkg's name, or NAME:ARCHITECTURE when the name is installed for
                     // several architectures
  std::string version;
  std::string section;
  std::string maintainer;
  std::uint64_t installed_kib = 0;
  std::vector<std::uint32_t> depends;  // positions in Inventory::packages, ascending, without
                                       // duplicates and without itself
};

// A relation that no installed package satisfies, as after `dpkg --force-depends`.
struct UnmetRelation {
  std::string package;
  std::string relation;  // all its alternatives, as they are written
};

// What is installed and what depends on what. The step `parse` returns it; the analysing steps
// start from it.
struct Inventory {
  std::string status_file;
  std::size_t skipped = 0;        // as in StatusFile
  std::vector<Package> packages;  // sorted by dpkg's name, then by architecture
  std::vector<UnmetRelation> unmet;
};

// Turns Pre-Depends and Depends into edges. Of a relation `a | b | c` exactly one edge is made, by
// this rule:
//   1. Alternatives are tried from left to right. One is met by an installed package of that name;
//   if there is none, by an
//      installed package that Provides the name.
//   2. `name:ARCH` accepts packages of that architecture or of architecture `all`; `name` and
//   `name:any` accept each.
//   3. Of several that fit, one that is at home on the depending package's architecture is
//   preferred, then the first in the
//      order of Inventory::packages. `all` is at home everywhere; a package that is `all` is at
//      home where dpkg itself is.
//   4. A package that meets the alternative itself (by Provides) needs no edge.
// Version restrictions are not evaluated: dpkg has configured the package, so its relations are
// met.
Inventory TakeInventory(StatusFile status, const std::string& path, const Pulse& pulse);

// The inventory as a compact JSON object and back, about 250 bytes a package. FromJson throws on
// JSON of another shape.
boost::json::object ToJson(const Inventory& inventory);
Inventory InventoryFromJson(const boost::json::value& json);

}  // namespace package_audit
