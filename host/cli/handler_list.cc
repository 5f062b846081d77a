// handler list: the handlers that the store knows, who serves them, and what waits for them.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "cli/table.h"

namespace tasker::cli {
namespace {

// Leaves only the servers that live.
void KeepLive(const std::vector<std::int64_t>& alive, std::vector<store::HandlerView>& handlers) {
  for (store::HandlerView& handler : handlers) {
    std::erase_if(handler.servers, [&](const store::HandlerView::Server& server) {
      return std::ranges::find(alive, server.worker) == alive.end();
    });
  }
}

boost::json::value PauseJson(const store::HandlerView& handler) {
  if (!handler.pause) return nullptr;
  return {{"actor", handler.pause->actor},
          {"reason", handler.pause->reason},
          {"at", TimeJson(handler.pause->at)}};
}

boost::json::object ToJson(const store::HandlerView& handler) {
  boost::json::array workers;
  for (const store::HandlerView::Server& server : handler.servers) {
    workers.push_back({{"worker", server.worker}, {"running", server.running}});
  }
  return {
      {"handler", handler.name.callable},      {"resolver", handler.name.resolver},
      {"idempotent", handler.name.idempotent}, {"paused", handler.paused},
      {"pause", PauseJson(handler)},           {"workers", std::move(workers)},
      {"enqueued", handler.enqueued},          {"oldest_ready", TimeJson(handler.oldest_ready)}};
}

std::string WorkersCell(const store::HandlerView& handler) {
  std::string text;
  for (const store::HandlerView::Server& server : handler.servers) {
    text.append(text.empty() ? "" : ", ").append(std::to_string(server.worker));
  }
  return text.empty() ? "none" : text;
}

std::string NoteCell(const store::HandlerView& handler) {
  if (!handler.pause) return "";
  return "paused by " + handler.pause->actor + " at " + LocalTime(handler.pause->at) +
         (handler.pause->reason.empty() ? "" : ": " + handler.pause->reason);
}

std::string ToText(const std::vector<store::HandlerView>& handlers, const Session& session) {
  const Time now = WallNow();
  Table table({"HANDLER", "RESOLVER", "STATE", "WORKERS", "RUNNING", "READY", "OLDEST", "NOTE"});
  for (const store::HandlerView& handler : handlers) {
    std::int64_t running = 0;
    for (const store::HandlerView::Server& server : handler.servers) running += server.running;
    const Cell state = handler.paused            ? Cell("paused", Colour::kYellow)
                       : handler.servers.empty() ? Cell("not served", Colour::kRed)
                                                 : Cell("served", Colour::kGreen);
    table.Add({Cell(handler.name.callable), Cell(handler.name.resolver), state,
               Cell(WorkersCell(handler)), Cell(std::to_string(running)),
               Cell(std::to_string(handler.enqueued)),
               Cell(handler.oldest_ready ? DurationText(now - *handler.oldest_ready) : ""),
               Cell(NoteCell(handler))});
  }
  return table.Text(session.out.style());
}

class HandlerList final : public Command {
 public:
  void AddOptions(CLI::App&) override {}

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    TRY(const Client client, OpenClient(config, Missing::kRefuse));
    TRY(const std::vector<std::int64_t> alive, LiveWorkers(*client.store));
    TRY(std::vector<store::HandlerView> handlers, client.reader->Handlers());
    KeepLive(alive, handlers);
    if (session.json) {
      boost::json::array list;
      for (const store::HandlerView& handler : handlers) list.push_back(ToJson(handler));
      session.out.Write(JsonLine({{"handlers", std::move(list)}}));
    } else if (handlers.empty()) {
      session.Note("the store knows no handler: no task was submitted and no host has run on it");
    } else {
      session.out.Write(ToText(handlers, session));
    }
    return ExitCode::kOk;
  }
};

}  // namespace

std::unique_ptr<Command> MakeHandlerList() { return std::make_unique<HandlerList>(); }

}  // namespace tasker::cli
