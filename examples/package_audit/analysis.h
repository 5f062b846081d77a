#pragma once

#include <boost/json.hpp>
#include <string>

#include "package_audit/inventory.h"
#include "package_audit/pulse.h"

namespace package_audit {

// One function a step between `parse` and `report`. Each takes the inventory and returns the step's
// result. Sizes are in KiB as dpkg's Installed-Size gives them; lists are sorted, so the same
// inventory always gives the same bytes.

// {"installed_kib": total, "sections": [{"section", "packages", "installed_kib"}]}, the largest
// first.
boost::json::object SectionSizes(const Inventory& inventory);

// {"packages", "edges", "components", "cycles": [[package, ...]],
//  "page_rank": {"damping", "rounds", "delta", "ranks": [{"package", "rank"}]}}
// `components` counts all strongly connected components, `cycles` lists those of more than one
// package, the largest first. `ranks` has every package, the highest rank first.
boost::json::object DependencyGraph(const Inventory& inventory, const Pulse& pulse);

// {"package", "direct": {"count", "packages"}, "transitive": {"count", "packages"}}: who needs
// `package` at first hand, and who needs it at all (the direct ones included). A name without
// architecture means the package on every architecture that it is installed for. Throws
// UnusableInput when it is not installed.
boost::json::object ReverseDependencies(const Inventory& inventory, const std::string& package,
                                        const Pulse& pulse);

// {"maintainers": [{"maintainer", "packages"}]}, the one with most packages first. A maintainer is
// the whole field, name and address.
boost::json::object Maintainers(const Inventory& inventory);

}  // namespace package_audit
