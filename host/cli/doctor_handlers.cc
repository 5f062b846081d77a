// What doctor looks at in plugins and templates.
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "cli/doctor.h"
#include "cli/format.h"
#include "pipeline/templates.h"
#include "plugin/load_dirs.h"
#include "plugin/registry.h"
#include "store/reads.h"

namespace tasker::cli {
namespace {

constexpr std::chrono::seconds kStopWithin{5};

void LookAtFolders(const config::Config& config, Findings& findings) {
  bool good = true;
  std::size_t there = 0;
  for (const std::string& folder : config.plugins.dirs) {
    struct stat info {};
    if (::stat(folder.c_str(), &info) != 0) continue;
    ++there;
    if ((info.st_mode & S_IWOTH) != 0) {
      good = false;
      findings.Error(
          "plugin_folders",
          "everybody may put code into plugin folder " + folder + ", which the host then runs",
          "run `chmod o-w " + folder + "`");
    } else if ((info.st_mode & S_IWGRP) != 0) {
      good = false;
      findings.Warning("plugin_folders", "a whole group may put code into plugin folder " + folder,
                       "if not all of the group may run code as the host's user, run `chmod g-w " +
                           folder + "`");
    }
  }
  if (good) {
    findings.Ok("plugin_folders",
                there == 1 ? "1 plugin folder, closed to others"
                           : std::to_string(there) + " plugin folders, closed to others");
  }
}

// The handlers of the plugins; what is wrong with one is a finding.
std::set<std::string> LoadHandlers(const config::Config& config, Findings& findings) {
  const plugin::HostCalls calls{.finished = [](std::int64_t, const workflow::Outcome&, Steady) {},
                                .checkpoint = [](std::int64_t, const std::string&) -> Status {
                                  return Unavailable("no step runs in doctor");
                                },
                                .demand_changed = [] {}};
  plugin::HandlerRegistry registry;
  const plugin::LoadedPlugins loaded =
      plugin::LoadDirs(config.plugins.dirs, config.plugins.configs, registry, calls, {});
  std::set<std::string> handlers;
  for (const plugin::HandlerRegistry::Entry& entry : registry.List())
    handlers.insert(entry.info.id);
  for (const Error& error : loaded.errors) {
    findings.Error("plugins", error.message, "mend the plugin, or take it out of its folder");
  }
  if (loaded.errors.empty()) {
    findings.Ok("plugins", Count(static_cast<std::int64_t>(loaded.instances.size()), "plugin") +
                               " with " +
                               Count(static_cast<std::int64_t>(handlers.size()), "handler"));
  }
  LookAtOwnSqlite(findings);
  for (const auto& instance : loaded.instances) {
    const Status stopped = instance->Stop(std::chrono::steady_clock::now() + kStopWithin);
    if (!stopped) {
      findings.Warning("plugins", stopped.error().message,
                       "the plugin does not end: mend its shutdown");
    }
  }
  return handlers;
}

// Handler -> the templates, by name, whose steps need it.
using Needed = std::map<std::string, std::set<std::string>>;

void Need(const workflow::TaskTemplate& definition, Needed& needed) {
  for (const workflow::StepDefinition& step : definition.steps) {
    needed[step.handler.callable].insert(definition.namespace_name + "/" + definition.name + "@" +
                                         definition.version);
  }
}

Needed NeededHandlers(const config::Config& config, Client* client, Findings& findings) {
  Needed needed;
  const pipeline::TemplateFolders folders = pipeline::ReadTemplates(config);
  for (const pipeline::TemplateFile& file : folders.files) Need(file.parsed.task_template, needed);
  for (const Error& error : folders.errors)
    findings.Error("templates", error.message, "mend the file; `template validate` checks it");
  if (client == nullptr) return needed;
  const auto stored = client->reader->Templates(false);
  if (!stored) {
    findings.Error("templates", stored.error().message, "check the file with `store verify`");
    return needed;
  }
  for (const store::TemplateView& view : *stored) {
    const auto workflow = client->store->WorkflowOf(view.id);
    if (workflow) {
      Need((*workflow)->definition, needed);
    } else {
      findings.Error("templates", workflow.error().message,
                     "tasks of this template stand still; register its text again");
    }
  }
  return needed;
}

std::set<std::string> ServedElsewhere(Client& client, Findings& findings) {
  std::set<std::string> handlers;
  const auto alive = LiveWorkers(*client.store);
  if (!alive) {
    findings.Error("handlers", alive.error().message, "check the file with `store verify`");
    return handlers;
  }
  for (const std::int64_t worker : *alive) {
    const auto of_worker = client.reader->HandlersOf(worker);
    if (!of_worker) {
      findings.Error("handlers", of_worker.error().message, "check the file with `store verify`");
      return handlers;
    }
    for (const store::HandlerName& handler : *of_worker) handlers.insert(handler.callable);
  }
  return handlers;
}

}  // namespace

void LookAtHandlers(const config::Config& config, Client* client, Findings& findings) {
  LookAtFolders(config, findings);
  const std::set<std::string> here = LoadHandlers(config, findings);
  const std::set<std::string> elsewhere =
      client == nullptr ? std::set<std::string>() : ServedElsewhere(*client, findings);
  const Needed needed = NeededHandlers(config, client, findings);
  bool all = true;
  for (const auto& [handler, templates] : needed) {
    if (here.contains(handler) || elsewhere.contains(handler)) continue;
    all = false;
    std::string names;
    for (const std::string& name : templates) names.append(names.empty() ? "" : ", ").append(name);
    findings.Warning("handlers",
                     "no plugin here and no running host has handler '" + handler +
                         "', which these templates need: " + names,
                     "put a plugin that registers it into a plugin folder (`plugin list` shows "
                     "them); until then such steps wait");
  }
  if (all) {
    findings.Ok("handlers", "every handler that a template needs is there (" +
                                Count(static_cast<std::int64_t>(needed.size()), "handler") + ")");
  }
}

}  // namespace tasker::cli
