#pragma once

#include <string>
#include <vector>

namespace tasker::workflow {

// What valijson says: where, as "<root>", "[name]", "[3]"; and what.
struct Violation {
  std::vector<std::string> context;
  std::string description;
};

// "at /order/items/0: ...; at the top: ...". Of violations that only say that something below them
// failed, those are dropped whose cause is listed.
std::string ViolationText(std::vector<Violation> violations);

}  // namespace tasker::workflow
