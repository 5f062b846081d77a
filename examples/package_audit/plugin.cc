// The plugin: six handlers around the analysis of the other files, which know nothing of Tasker. A
// handler is a function from what the host knows of the step to the step's result, both JSON texts.
// What holds for all of them:
//
// - They may run more than once. A step runs at least once; after a crash of the host it runs
// again. So handlers only read,
//   and the one that writes replaces whole files with the same bytes.
// - They may run at once, on several threads, also two attempts of one step. So they share nothing.
// - What went wrong is thrown. A tasker::PermanentError fails the step for good; anything else is
// tried again, as the
//   template's `retry` says. UnusableInput is the first kind: the file does not get better by
//   reading it again.
// - A long loop asks now and then whether it should go on (pulse.h).
//
// Look at package_audit.yaml next: it says which handler runs when.
#include <boost/json.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <tasker/plugin.hpp>
#include <utility>

#include "package_audit/analysis.h"
#include "package_audit/inventory.h"
#include "package_audit/report.h"
#include "package_audit/status_file.h"
#include "package_audit/unusable_input.h"

namespace package_audit {
namespace {

namespace json = boost::json;

// One setting of the task, from its context. The template's input_schema has checked the type when
// the task was submitted, but handlers do not know which template calls them.
std::string Setting(const tasker_step& step, std::string_view key, const char* fallback) {
  const json::value context = json::parse(tasker::view(step.context));
  const json::object* settings = context.if_object();
  const json::value* setting = settings == nullptr ? nullptr : settings->if_contains(key);
  if (setting == nullptr) return fallback;
  if (!setting->is_string())
    throw UnusableInput("\"" + std::string(key) + "\" in the task's context must be a string");
  return json::value_to<std::string>(*setting);
}

// The results of the steps that come before this one, by step name. The host hands over all
// ancestors, not only the parents.
class Ancestors final {
 public:
  explicit Ancestors(const tasker_step& step)
      : steps_(json::parse(tasker::view(step.dependencies))) {}

  const json::value& ResultOf(std::string_view name) const {
    const json::value* step = steps_.as_object().if_contains(name);
    if (step == nullptr)
      throw UnusableInput("the template must make this step depend on one named " +
                          std::string(name));
    return step->at("result");
  }

 private:
  const json::value steps_;
};

Inventory ParsedInventory(const tasker_step& step) {
  return InventoryFromJson(Ancestors(step).ResultOf("parse"));
}

json::object Parse(const tasker_step& step, const Pulse& pulse) {
  const std::string path = Setting(step, "status_file", "/var/lib/dpkg/status");
  return ToJson(TakeInventory(ParseStatusFile(ReadStatusFile(path), path, pulse), path, pulse));
}

json::object Report(const tasker_step& step, const Pulse& pulse) {
  const Ancestors ancestors(step);
  const json::object report =
      JsonReport({ancestors.ResultOf("parse"), ancestors.ResultOf("section_sizes"),
                  ancestors.ResultOf("dependency_graph"),
                  ancestors.ResultOf("reverse_dependencies"), ancestors.ResultOf("maintainers")});
  // Relative to the folder that the host runs in; the result names the place for readers who are
  // elsewhere.
  const std::filesystem::path folder =
      std::filesystem::absolute(Setting(step, "report_dir", ".")).lexically_normal();
  const std::filesystem::path json_path = folder / "package_audit.json";
  const std::filesystem::path markdown_path = folder / "package_audit.md";
  pulse(0.3);
  std::filesystem::create_directories(folder);
  WriteAtomically(json_path, json::serialize(report) + "\n");
  pulse(0.6);
  WriteAtomically(markdown_path, MarkdownReport(report));

  json::object result = Summary(report);
  result["json"] = json_path.string();
  result["markdown"] = markdown_path.string();
  return result;
}

// Registers `run` under `id`, with the part that is the same for all handlers around it.
template <typename Run>
void Register(tasker::Plugin& plugin, const char* id, const char* description, Run run) {
  tasker::Options options;
  options.description = description;
  options.caps = TASKER_CAP_CANCEL | TASKER_CAP_IDEMPOTENT;
  plugin.handler(
      id,
      [run](const tasker_step& step, tasker::Call& call) {
        const Pulse pulse = [&call](double progress) {
          if (!call.alive(progress))
            throw tasker::RetryableError("the host asked this attempt to stop");
        };
        try {
          return json::serialize(run(step, pulse));
        } catch (const UnusableInput& error) {
          throw tasker::PermanentError(error.what());
        }
      },
      std::move(options));
}

}  // namespace

TASKER_PLUGIN("package_audit", "1.0.0", plugin) {
  Register(plugin, "package_audit.parse",
           "dpkg's status file as an inventory with resolved dependencies", Parse);
  Register(
      plugin, "package_audit.section_sizes", "installed size by section",
      [](const tasker_step& step, const Pulse&) { return SectionSizes(ParsedInventory(step)); });
  Register(plugin, "package_audit.dependency_graph", "strongly connected components and PageRank",
           [](const tasker_step& step, const Pulse& pulse) {
             return DependencyGraph(ParsedInventory(step), pulse);
           });
  Register(plugin, "package_audit.reverse_dependencies", "who needs a package, directly and at all",
           [](const tasker_step& step, const Pulse& pulse) {
             return ReverseDependencies(ParsedInventory(step), Setting(step, "package", "libc6"),
                                        pulse);
           });
  Register(
      plugin, "package_audit.maintainers", "packages by maintainer",
      [](const tasker_step& step, const Pulse&) { return Maintainers(ParsedInventory(step)); });
  Register(plugin, "package_audit.report", "writes package_audit.md and package_audit.json",
           Report);
}

}  // namespace package_audit
