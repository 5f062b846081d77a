#include "tests/support/scripted_plugin.h"

#include <utility>

#include "plugin/in_process.h"

namespace tasker::testing {
namespace {

std::function<void(Plugin&)>& Script() {
  static std::function<void(Plugin&)> script;
  return script;
}

}  // namespace

TASKER_PLUGIN_STATIC(ScriptedEntry, "scripted", "1.0", p) { Script()(p); }

Result<std::unique_ptr<plugin::Instance>> LoadScripted(PluginHost& host,
                                                       std::function<void(Plugin&)> body,
                                                       std::string config_json) {
  Script() = std::move(body);
  return plugin::InProcess::FromEntry(ScriptedEntry(), host.registry, host.calls, host.limits,
                                      std::move(config_json));
}

}  // namespace tasker::testing
