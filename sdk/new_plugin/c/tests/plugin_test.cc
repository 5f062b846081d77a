#include <iostream>
#include <string>

#include <tasker/testing.hpp>

namespace {

int failures = 0;

void expect(const std::string& what, const std::string& is, const std::string& should_be) {
  if (is == should_be) return;
  std::cerr << what << "\n  is:        " << is << "\n  should be: " << should_be << "\n";
  ++failures;
}

}  // namespace

int main() {
  tasker::testing::Host host(tasker_plugin_v1());

  expect("greet", host.run("@NAME@.greet", R"({"name": "you"})").say(),
         R"(succeeded: {"name": "you"})");
  expect("count", host.run("@NAME@.count").say(), R"(succeeded: {"bytes":2})");

  for (const std::string& defect : host.stop()) expect("the plugin's manners", defect, "");
  return failures == 0 ? 0 : 1;
}
