#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "cli/table.h"
#include "cli/task_picture.h"
#include "workflow/state.h"

namespace tasker::cli {
namespace {

struct Overview {
  std::string store, durability;
  std::vector<store::OpenWorker> workers;
  std::vector<store::MissingHandler> missing;
  std::vector<store::HandlerView> paused;
  store::StoreCounts counts;
};

Result<Overview> Look(Client& client) {
  Overview overview;
  overview.store = client.store->path();
  overview.durability = client.store->durability();
  TRY(overview.workers, client.store->Workers());
  std::vector<std::int64_t> alive;
  for (const store::OpenWorker& worker : overview.workers) {
    if (worker.alive) alive.push_back(worker.id);
  }
  TRY(overview.missing, client.reader->Missing(alive));
  TRY(overview.paused, client.reader->Handlers());
  std::erase_if(overview.paused, [](const store::HandlerView& handler) { return !handler.paused; });
  TRY(overview.counts, client.reader->Counts());
  return overview;
}

const char* StateOf(const store::OpenWorker& worker) {
  if (!worker.alive) return "dead";
  return worker.stopped ? "stopped" : "running";
}

boost::json::object ToJson(const store::OpenWorker& worker) {
  boost::json::object out{{"id", worker.id},
                          {"pid", worker.pid},
                          {"host", worker.host},
                          {"version", worker.version},
                          {"started", TimeJson(worker.started)},
                          {"state", StateOf(worker)},
                          {"alive", worker.alive},
                          {"stopped", worker.stopped},
                          {"holds_turn", worker.holds_turn},
                          {"running", worker.running.size()}};
  // Null: the worker says nothing of itself.
  const auto& notice = worker.notice;
  const store::WorkerNotice said = notice.value_or(store::WorkerNotice{});
  store::VisitCounts(said, [&](const char* name, auto count) {
    out[name] = notice ? boost::json::value(count) : boost::json::value();
  });
  out["not_ready"] = notice ? boost::json::value(said.not_ready) : boost::json::value();
  out["last_error"] = notice ? boost::json::value(said.last_error) : boost::json::value();
  const bool had_error = notice && notice->last_error_us != 0;
  out["last_error_at"] =
      had_error ? TimeJson(Time(std::chrono::microseconds(notice->last_error_us))) : nullptr;
  return out;
}

boost::json::value OldestJson(const store::StoreCounts& counts) {
  if (!counts.oldest_step) return nullptr;
  return {{"task", counts.oldest_step->task.ToString()},
          {"n", counts.oldest_step->n},
          {"handler", counts.oldest_step->handler},
          {"ready", TimeJson(counts.oldest_ready)}};
}

boost::json::object ToJson(const Overview& overview) {
  boost::json::array workers;
  for (const store::OpenWorker& worker : overview.workers) workers.push_back(ToJson(worker));
  boost::json::array missing;
  for (const store::MissingHandler& handler : overview.missing) {
    missing.push_back({{"handler", handler.callable},
                       {"resolver", handler.resolver},
                       {"steps", handler.steps},
                       {"oldest", TimeJson(handler.oldest_ready)}});
  }
  boost::json::array paused;
  for (const store::HandlerView& handler : overview.paused) {
    paused.push_back({{"handler", handler.name.callable},
                      {"resolver", handler.name.resolver},
                      {"steps", handler.enqueued},
                      {"oldest", TimeJson(handler.oldest_ready)}});
  }
  boost::json::object tasks;
  for (const auto& [state, count] : overview.counts.tasks) tasks[workflow::Name(state)] = count;
  const store::StoreCounts& counts = overview.counts;
  return {{"store",
           {{"path", overview.store},
            {"durability", overview.durability},
            {"file_bytes", counts.file_bytes},
            {"wal_bytes", counts.wal_bytes}}},
          {"workers", std::move(workers)},
          {"tasks", std::move(tasks)},
          {"steps",
           {{"enqueued", counts.enqueued},
            {"in_progress", counts.in_progress},
            {"waiting_for_retry", counts.waiting_for_retry},
            {"oldest_ready", TimeJson(counts.oldest_ready)},
            {"oldest_ready_step", OldestJson(counts)}}},
          {"dead_letters", counts.dead_letters},
          {"paused_handlers", std::move(paused)},
          {"missing_handlers", std::move(missing)}};
}

Cell StateCell(const store::OpenWorker& worker) {
  if (!worker.alive) return Cell("dead: the next host takes its steps over", Colour::kRed);
  if (!worker.stopped) return Cell("running", Colour::kGreen);
  return Cell("unresponsive: stopped" +
                  std::string(worker.holds_turn ? " inside its turn, nobody can write" : "") +
                  "; kill -CONT " + std::to_string(worker.pid) + " or kill it",
              Colour::kRed);
}

using Notice = store::WorkerNotice;

template <typename Count>
Cell CountCell(const store::OpenWorker& worker, Count Notice::*count) {
  return Cell(worker.notice ? std::to_string((*worker.notice).*count) : "");
}

// What a worker that runs complains of.
std::string ComplaintsText(const store::OpenWorker& worker, const Style& style, Time now) {
  constexpr std::chrono::hours kOld{1};  // an error that long ago is over
  if (!worker.alive || !worker.notice) return "";
  std::string text;
  const auto add = [&](const std::string& what, const std::string& said) {
    if (said.empty()) return;
    const std::string line = "Worker " + std::to_string(worker.id) + what + said;
    text += Paint(style, Colour::kYellow, Printable(style, line)) + "\n";
  };
  add(" claims nothing: ", worker.notice->not_ready);
  const auto age = now - Time(std::chrono::microseconds(worker.notice->last_error_us));
  if (age < kOld) add(", last error " + DurationText(age) + " ago: ", worker.notice->last_error);
  return text;
}

std::string WorkersText(const Overview& overview, const Session& session, Time now) {
  const Style style = session.out.style();
  Table table(
      {"WORKER", "PID", "STATE", "STEPS", "PLACES", "ENDED", "TURNS", "UP", "HOST", "VERSION"});
  bool any = false;
  for (const store::OpenWorker& worker : overview.workers) {
    any = any || worker.alive;
    table.Add({Cell(std::to_string(worker.id)), Cell(std::to_string(worker.pid)), StateCell(worker),
               Cell(std::to_string(worker.running.size())), CountCell(worker, &Notice::places),
               CountCell(worker, &Notice::ended), CountCell(worker, &Notice::turns),
               Cell(worker.alive ? DurationText(now - worker.started) : ""), Cell(worker.host),
               Cell(worker.version)});
  }
  std::string text = table.empty() ? "" : table.Text(style);
  for (const store::OpenWorker& worker : overview.workers)
    text += ComplaintsText(worker, style, now);
  if (!any) {
    text += Paint(style, Colour::kYellow,
                  Printable(style, "No host runs: start one with " + session.CommandLine("run"))) +
            "\n";
  }
  return text;
}

std::string MissingText(const store::MissingHandler& handler, const Overview& overview,
                        const Session& session, Time now) {
  std::string sentence = "No running host has handler '" + handler.callable +
                         "': " + Count(handler.steps, "step") +
                         (handler.steps == 1 ? " waits" : " wait") + " for it, the first since " +
                         DurationText(now - handler.oldest_ready);
  if (std::ranges::none_of(overview.workers, &store::OpenWorker::alive)) return sentence;
  return sentence + "; put a plugin that registers it into a plugin folder, check it with " +
         session.CommandLine("plugin list") + ", and restart the host";
}

std::string PausedText(const store::HandlerView& handler, const Session& session) {
  return "Handler '" + handler.name.callable + "' is paused: " + Count(handler.enqueued, "step") +
         (handler.enqueued == 1 ? " waits" : " wait") + "; let it go on with " +
         session.CommandLine("handler resume " + handler.name.callable);
}

std::string ToText(const Overview& overview, const Session& session) {
  const Style style = session.out.style();
  const Time now = WallNow();
  const store::StoreCounts& counts = overview.counts;
  std::string text = "store  " + Printable(style, overview.store) + "  " +
                     SizeText(counts.file_bytes) + ", log " + SizeText(counts.wal_bytes) + "  " +
                     Printable(style, overview.durability) + "\n\n";
  text += WorkersText(overview, session, now) + "\n";
  Table tasks({"TASKS", "STATE"});
  for (const auto& [state, count] : counts.tasks) {
    if (count > 0)
      tasks.Add({Cell(std::to_string(count)), Cell(workflow::Name(state), ColourOf(state))});
  }
  text += tasks.empty() ? "no tasks\n" : tasks.Text(style);
  text += "\nsteps  " + std::to_string(counts.enqueued) + " ready, " +
          std::to_string(counts.in_progress) + " running, " +
          std::to_string(counts.waiting_for_retry) + " waiting for a retry";
  if (counts.oldest_ready)
    text += "; the oldest ready one waits " + DurationText(now - *counts.oldest_ready);
  if (counts.oldest_step) {
    text += "; why: " + session.CommandLine("task explain " + counts.oldest_step->task.ToString());
  }
  text += "\n";
  if (counts.dead_letters > 0) {
    text += Count(counts.dead_letters, "dead letter") +
            " pending: " + session.CommandLine("dlq list") + "\n";
  }
  for (const store::HandlerView& handler : overview.paused) {
    text += Paint(style, Colour::kYellow, Printable(style, PausedText(handler, session))) + "\n";
  }
  for (const store::MissingHandler& handler : overview.missing) {
    text += Paint(style, Colour::kYellow,
                  Printable(style, MissingText(handler, overview, session, now))) +
            "\n";
  }
  return text;
}

class StatusCommand final : public Command {
 public:
  void AddOptions(CLI::App&) override {}

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    TRY(Client client, OpenClient(config, Missing::kRefuse));
    TRY(const Overview overview, Look(client));
    session.out.Write(session.json ? JsonLine(ToJson(overview)) : ToText(overview, session));
    return ExitCode::kOk;
  }
};

}  // namespace

std::unique_ptr<Command> MakeStatus() { return std::make_unique<StatusCommand>(); }

}  // namespace tasker::cli
