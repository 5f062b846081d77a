// Handlers that throw; the header's trampolines keep it from the host.
#include <stdexcept>
#include <string>
#include <tasker/plugin.hpp>

TASKER_PLUGIN("zoo_throws", "1", p) {
  p.handler("throws.permanent", [](const tasker_step&, tasker::Call&) -> std::string {
    throw tasker::PermanentError("no such customer");
  });
  p.handler("throws.other", [](const tasker_step&, tasker::Call&) -> std::string {
    throw std::out_of_range("index 7");
  });
  p.handler("throws.no_exception",
            [](const tasker_step&, tasker::Call&) -> std::string { throw 7; });
}
