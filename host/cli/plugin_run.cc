#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/enumerate.h"
#include "cli/command.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "cli/signals.h"
#include "cli/step_options.h"
#include "log/log.h"
#include "pipeline/plugin_limits.h"
#include "trial/solo.h"

namespace tasker::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kHandlerWithin{10};  // for a runtime to offer the handler
constexpr std::chrono::hours kForever{24 * 365};

// How an attempt ended, beside what the handler said.
struct Ended {
  std::optional<trial::Solo::End> end;  // nothing: it did not end
  bool timed_out = false;
  bool interrupted = false;
};

struct Told {
  const char* outcome;  // for scripts
  ExitCode code;
};

Told Tell(const Ended& ended) {
  const auto tell = [&]() -> Told {
    if (ended.timed_out) return {"timeout", ExitCode::kFailed};
    if (!ended.end) return {"abandoned", ExitCode::kAbandoned};
    if (std::holds_alternative<workflow::Succeeded>(ended.end->outcome))
      return {"complete", ExitCode::kOk};
    if (std::holds_alternative<workflow::Yielded>(ended.end->outcome))
      return {"yielded", ExitCode::kOk};
    if (std::holds_alternative<workflow::HandedBack>(ended.end->outcome))
      return {"handed_back", ExitCode::kFailed};
    return {"failed", ExitCode::kFailed};
  };
  Told told = tell();
  if (ended.interrupted) told.code = ExitCode::kInterrupted;
  return told;
}

void AddTo(boost::json::object& object, const workflow::Succeeded& success) {
  object["result"] = Embedded(success.result);
  object["metadata"] = Embedded(success.metadata);
  object["events"] = Embedded(success.events);
}
void AddTo(boost::json::object& object, const workflow::Failed& failed) {
  object["error"] = {{"type", failed.type},
                     {"message", failed.message},
                     {"retryable", failed.retryable},
                     {"error_code", failed.error_code},
                     {"http_status", failed.http_status},
                     {"backtrace", failed.backtrace},
                     {"context", Embedded(failed.context)},
                     {"metadata", Embedded(failed.metadata)}};
  if (failed.retry_after) object["retry_after_ms"] = failed.retry_after->count() / 1000;
}
void AddTo(boost::json::object& object, const workflow::Yielded& yielded) {
  object["checkpoint"] = Embedded(yielded.checkpoint.value_or(""));
  object["resume_after_ms"] = yielded.resume_after.count() / 1000;
}
void AddTo(boost::json::object&, const workflow::HandedBack&) {}
void AddTo(boost::json::object&, const workflow::TimedOut&) {}

std::string LinesOf(const workflow::Succeeded& success) {
  std::string lines = "result: " + success.result + "\n";
  if (!success.metadata.empty()) lines += "metadata: " + success.metadata + "\n";
  if (!success.events.empty()) lines += "events: " + success.events + "\n";
  return lines;
}
std::string LinesOf(const workflow::Failed& failed) {
  std::string lines = "error: " + failed.type + ": " + failed.message + "\n";
  lines += failed.retryable ? "a host tries again while attempts are left\n"
                            : "a host does not try again\n";
  if (!failed.backtrace.empty()) lines += failed.backtrace + "\n";
  return lines;
}
std::string LinesOf(const workflow::Yielded& yielded) {
  std::string lines = "a host runs it again after " + DurationText(yielded.resume_after) + "\n";
  if (yielded.checkpoint) lines += "checkpoint: " + *yielded.checkpoint + "\n";
  return lines;
}
std::string LinesOf(const workflow::HandedBack&) { return "the plugin did not begin it\n"; }
std::string LinesOf(const workflow::TimedOut&) { return ""; }

// Printable, line by line.
std::string Clean(const Style& style, std::string_view lines) {
  std::string text;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    text += Printable(style, lines.substr(0, end)) + "\n";
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return text;
}

class PluginRun final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("FILE", file_, "The plugin, an .so file")->required();
    step_.AddTo(app, true);
    app.footer(
        "The plugin gets its [plugin.NAME] table of --config FILE. Checkpoints are kept in "
        "memory.\n"
        "Ctrl-C asks the step to cancel; a second one leaves it behind.\n"
        "In a debugger: gdb --args tasker-host plugin run FILE --handler ID --context JSON\n"
        "Exit codes: 0 complete or yielded; 1 failed, timed out or handed back, or the plugin is\n"
        "broken; 64 wrong usage; 65 a text that is no JSON; 66 no such file or handler; 75 it did\n"
        "not end and was left behind; 130 interrupted.");
  }

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    TRY(const trial::StepRequest request, step_.Read(config));
    log::Start(config.log);
    auto code = RunStep(session, config, request);
    log::Stop();
    return code;
  }

 private:
  Result<ExitCode> RunStep(Session& session, const config::Config& config,
                           const trial::StepRequest& request) {
    const auto broken = [&](const Error& error) -> Result<ExitCode> {
      if (error.code == ErrorCode::kNotFound) return error;
      session.err.Write("tasker-host: " + Printable(session.err.style(), error.message) + "\n");
      return ExitCode::kFailed;
    };
    const auto plugin_config = PluginConfigOf(file_, config);
    if (!plugin_config) return broken(plugin_config.error());
    auto loaded = trial::Solo::Load(file_, *plugin_config, pipeline::PluginLimitsOf(config.limits));
    if (!loaded) return broken(loaded.error());
    // Not before: an init that hangs has to end by Ctrl-C. The threads that it made have all
    // signals blocked, as the control thread has.
    TRY(const std::unique_ptr<Signals> signals, Signals::Open());
    trial::Solo& solo = **loaded;
    const auto within = steady_clock::now() + kHandlerWithin;
    if (!solo.WaitReady(request.handler, request.method, request.resolver, within, signals->fd())) {
      const bool interrupted = signals->Take() != 0;
      const Error error = Missing(solo, request);
      const Status stopped = solo.Stop(steady_clock::now() + config.worker.drain);
      if (!stopped) LeaveBehind(session, stopped.error(), ExitCode::kAbandoned);
      if (interrupted) return ExitCode::kInterrupted;
      return error;
    }
    const Ended ended = Await(session, config, request, solo, *signals);
    const Told told = Tell(ended);
    Print(session, request, solo, ended, told);
    // What did not end by now has had its time.
    const auto grace = ended.end ? config.worker.drain : std::chrono::milliseconds(0);
    const Status stopped = solo.Stop(steady_clock::now() + grace);
    if (stopped) return told.code;
    LeaveBehind(session, stopped.error(),
                ended.interrupted ? ExitCode::kInterrupted : ExitCode::kAbandoned);
  }

  static Error Missing(trial::Solo& solo, const trial::StepRequest& request) {
    std::vector<std::string> ids;
    for (const plugin::HandlerInfo& handler : solo.Handlers()) ids.push_back(handler.id);
    return NotFound("plugin " + solo.instance().file() + " has no handler '" + request.handler +
                    "' that takes a step; it has " + (ids.empty() ? "none" : Joined(ids)));
  }

  // The plugin's threads still run: nothing may be destroyed under them.
  [[noreturn]] static void LeaveBehind(Session& session, const Error& error, ExitCode code) {
    session.err.Write("tasker-host: " + Printable(session.err.style(), error.message) + "\n");
    log::Stop();
    ::_exit(static_cast<int>(code));
  }

  static Ended Await(Session& session, const config::Config& config,
                     const trial::StepRequest& request, trial::Solo& solo, Signals& signals) {
    constexpr std::int64_t kClaim = 1;
    Ended ended;
    auto until = steady_clock::now() + kForever;
    if (request.timeout) until = steady_clock::now() + *request.timeout;
    solo.Start(trial::InputOf(request, kClaim));
    while (true) {
      const trial::Solo::Waited waited = solo.WaitEnd(until, signals.fd());
      if (waited == trial::Solo::Waited::kEnded) break;
      const bool asked = ended.timed_out || ended.interrupted;
      if (waited == trial::Solo::Waited::kTimeUp) {
        if (asked) break;
        ended.timed_out = true;
        solo.instance().Cancel(kClaim, plugin::CancelReason::kTimeout);
      } else {
        if (signals.Take() == 0) continue;
        if (ended.interrupted) break;
        ended.interrupted = true;
        session.Note("the step is asked to cancel; Ctrl-C again leaves it behind");
        solo.instance().Cancel(kClaim, plugin::CancelReason::kCancelled);
      }
      until = steady_clock::now() + config.worker.drain;
    }
    ended.end = solo.end();
    return ended;
  }

  void Print(Session& session, const trial::StepRequest& request, trial::Solo& solo,
             const Ended& ended, const Told& told) const {
    if (session.json) {
      session.out.Write(JsonLine(ToJson(request, solo, ended, told)));
      return;
    }
    const Style style = session.out.style();
    std::string text = "handler '" + request.handler + "' of plugin " + solo.instance().name() +
                       ": " + told.outcome;
    if (ended.end) text += " in " + DurationText(ended.end->took);
    text += "\n";
    for (const std::string& checkpoint : solo.checkpoints())
      text += "checkpoint saved: " + checkpoint + "\n";
    if (ended.end)
      text += std::visit([](const auto& said) { return LinesOf(said); }, ended.end->outcome);
    session.out.Write(Clean(style, text));
  }

  static boost::json::object ToJson(const trial::StepRequest& request, trial::Solo& solo,
                                    const Ended& ended, const Told& told) {
    boost::json::object object{{"file", solo.instance().file()},
                               {"plugin", solo.instance().name()},
                               {"handler", request.handler},
                               {"outcome", told.outcome},
                               {"interrupted", ended.interrupted}};
    boost::json::array checkpoints;
    for (const std::string& checkpoint : solo.checkpoints())
      checkpoints.push_back(Embedded(checkpoint));
    object["checkpoints"] = std::move(checkpoints);
    object["duration_us"] =
        ended.end ? boost::json::value(ended.end->took.count()) : boost::json::value(nullptr);
    if (ended.end) std::visit([&](const auto& said) { AddTo(object, said); }, ended.end->outcome);
    return object;
  }

  std::string file_;
  StepOptions step_;
};

}  // namespace

std::unique_ptr<Command> MakePluginRun() { return std::make_unique<PluginRun>(); }

}  // namespace tasker::cli
