#include <boost/json/array.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/json_out.h"
#include "cli/table.h"
#include "log/log.h"
#include "pipeline/plugin_limits.h"
#include "plugin/load_dirs.h"
#include "plugin/registry.h"

namespace tasker::cli {
namespace {

constexpr std::chrono::seconds kStopWithin{5};

const char* NameOf(plugin::HandlerInfo::Threads threads) {
  switch (threads) {
    case plugin::HandlerInfo::Threads::kConcurrent:
      return "concurrent";
    case plugin::HandlerInfo::Threads::kSerial:
      return "serial";
    case plugin::HandlerInfo::Threads::kRuntime:
      return "runtime";
  }
  return "";
}

class PluginList final : public Command {
 public:
  void AddOptions(CLI::App&) override {}

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    // What the plugins log at their start is no part of the list; what is wrong is told on stderr.
    config::Log log = config.log;
    log.level = config::LogLevel::kWarning;
    log::Start(log);
    // Nothing is ever started here, so that no call can come but a change of demand.
    const plugin::HostCalls calls{.finished = [](std::int64_t, const workflow::Outcome&, Steady) {},
                                  .checkpoint = [](std::int64_t, const std::string&) -> Status {
                                    return Unavailable("no step runs in plugin list");
                                  },
                                  .demand_changed = [] {}};
    plugin::HandlerRegistry registry;
    const plugin::LoadedPlugins loaded =
        plugin::LoadDirs(config.plugins.dirs, config.plugins.configs, registry, calls,
                         pipeline::PluginLimitsOf(config.limits));
    if (session.json) {
      PrintJson(loaded, registry, session);
    } else {
      PrintTable(loaded, registry, config, session);
    }
    for (const Error& error : loaded.errors)
      session.err.Write(Printable(session.err.style(), error.message) + "\n");
    ExitCode code = loaded.errors.empty() ? ExitCode::kOk : ExitCode::kFailed;
    for (const auto& instance : loaded.instances) {
      const Status stopped = instance->Stop(std::chrono::steady_clock::now() + kStopWithin);
      if (stopped) continue;
      session.err.Write(Printable(session.err.style(), stopped.error().message) + "\n");
      code = ExitCode::kFailed;
    }
    log::Stop();
    return code;
  }

 private:
  static std::vector<plugin::HandlerInfo> HandlersOf(const plugin::Instance& instance,
                                                     const plugin::HandlerRegistry& registry) {
    std::vector<plugin::HandlerInfo> handlers;
    for (plugin::HandlerRegistry::Entry& entry : registry.List()) {
      if (entry.instance == &instance) handlers.push_back(std::move(entry.info));
    }
    return handlers;
  }

  static void PrintJson(const plugin::LoadedPlugins& loaded,
                        const plugin::HandlerRegistry& registry, Session& session) {
    boost::json::array plugins;
    for (const auto& instance : loaded.instances) {
      boost::json::array handlers;
      for (const plugin::HandlerInfo& handler : HandlersOf(*instance, registry)) {
        handlers.push_back({{"id", handler.id},
                            {"version", handler.version},
                            {"description", handler.description},
                            {"threads", NameOf(handler.threads)},
                            {"max_concurrency", handler.max_concurrency},
                            {"can_cancel", handler.can_cancel},
                            {"can_checkpoint", handler.can_checkpoint},
                            {"idempotent", handler.idempotent}});
      }
      plugins.push_back({{"file", instance->file()},
                         {"name", instance->name()},
                         {"version", instance->version()},
                         {"handlers", std::move(handlers)}});
    }
    boost::json::array errors;
    for (const Error& error : loaded.errors) errors.push_back(boost::json::string(error.message));
    session.out.Write(JsonLine({{"plugins", std::move(plugins)}, {"errors", std::move(errors)}}));
  }

  static void PrintTable(const plugin::LoadedPlugins& loaded,
                         const plugin::HandlerRegistry& registry, const config::Config& config,
                         Session& session) {
    Table table({"PLUGIN", "HANDLER", "THREADS", "CAN", "FILE", "DESCRIPTION"});
    for (const auto& instance : loaded.instances) {
      std::string plugin = instance->name() + " " + instance->version();
      std::string file = instance->file();
      const std::vector<plugin::HandlerInfo> handlers = HandlersOf(*instance, registry);
      if (handlers.empty())
        table.Add({Cell(plugin), Cell("none", Colour::kYellow), "", "", Cell(file), ""});
      for (const plugin::HandlerInfo& handler : handlers) {
        std::string threads = NameOf(handler.threads);
        if (handler.max_concurrency > 0)
          threads += ", at most " + std::to_string(handler.max_concurrency);
        // A plugin's own cells stand in its first row only.
        table.Add({Cell(std::exchange(plugin, {}), Colour::kBold), Cell(handler.id), Cell(threads),
                   Cell(AbilitiesOf(handler)), Cell(std::exchange(file, {})),
                   Cell(handler.description)});
      }
    }
    if (!table.empty()) {
      session.out.Write(table.Text(session.out.style()));
    } else if (loaded.errors.empty()) {
      std::string dirs;
      for (const std::string& dir : config.plugins.dirs)
        dirs.append(dirs.empty() ? "" : ", ").append(dir);
      session.Note("there is no plugin in " +
                   (dirs.empty() ? "any folder (plugins.dirs is empty)" : dirs) +
                   "; drop an .so file there");
    }
  }

  static std::string AbilitiesOf(const plugin::HandlerInfo& handler) {
    std::string text;
    const auto add = [&text](bool can, const char* word) {
      if (can) text.append(text.empty() ? "" : ", ").append(word);
    };
    add(handler.can_cancel, "cancel");
    add(handler.can_checkpoint, "checkpoint");
    add(handler.idempotent, "idempotent");
    return text;
  }
};

}  // namespace

std::unique_ptr<Command> MakePluginList() { return std::make_unique<PluginList>(); }

}  // namespace tasker::cli
