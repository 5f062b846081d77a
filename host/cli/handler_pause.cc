// handler pause and handler resume.
#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "cli/who.h"
#include "workflow/template_fields.h"

namespace tasker::cli {
namespace {

class HandlerPause final : public Command {
 public:
  explicit HandlerPause(bool pause) : pause_(pause) {}

  void AddOptions(CLI::App& app) override {
    app.add_option("HANDLER", name_, "The handler, as a template's handler.callable names it")
        ->required();
    app.add_option("--resolver", resolver_,
                   "Only the one of this handler.resolver; default: whatever its resolver")
        ->option_text("NAME");
    AddWhoOptions(app, who_);
  }

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    TRY_OK(CompleteWho(who_));
    TRY(const Client client, OpenClient(config, Missing::kRefuse));
    TRY(const std::vector<store::HandlerView> handlers, client.reader->Handlers());
    std::vector<const store::HandlerView*> named;
    for (const store::HandlerView& handler : handlers) {
      const bool chosen = !resolver_ || *resolver_ == handler.name.resolver;
      if (chosen && handler.name.callable == name_) named.push_back(&handler);
    }
    if (named.empty()) return NoSuchHandler(handlers, session);
    boost::json::array list;
    std::string text;
    for (const store::HandlerView* handler : named) {
      TRY_OK(Set(*handler, *client.store));
      list.push_back({{"handler", handler->name.callable},
                      {"resolver", handler->name.resolver},
                      {"paused", pause_},
                      {"enqueued", handler->enqueued}});
      text += Printable(session.out.style(), Sentence(*handler)) + "\n";
    }
    session.out.Write(session.json ? JsonLine({{"handlers", std::move(list)},
                                               {"actor", who_.actor},
                                               {"reason", who_.reason}})
                                   : text);
    return ExitCode::kOk;
  }

 private:
  Status Set(const store::HandlerView& handler, store::Store& store) const {
    store::Pause event;
    event.ticket = store::Ticket{1};
    event.id = Uuid::New();
    event.handler = handler.id;
    event.paused = pause_;
    event.actor = who_.actor;
    event.reason = who_.reason;
    const std::string noun =
        std::string(pause_ ? "pause" : "resume") + " handler '" + handler.name.callable + "'";
    TRY(const store::Ack ack, SendEvent(std::move(event), noun, store));
    return ack.code == store::Ack::Code::kApplied ? Ok()
                                                  : Status(Conflict(noun + ": " + ack.detail));
  }

  std::string Sentence(const store::HandlerView& handler) const {
    const std::string name =
        handler.name.callable +
        (handler.name.resolver.empty() ? "" : " (resolver " + handler.name.resolver + ")");
    if (!pause_) {
      return "handler " + name + " is not paused any more: " + Count(handler.enqueued, "step") +
             " can be claimed";
    }
    return "handler " + name + " is paused: no host claims steps of it, what runs goes on; " +
           Count(handler.enqueued, "step") + (handler.enqueued == 1 ? " waits now" : " wait now");
  }

  Error NoSuchHandler(const std::vector<store::HandlerView>& handlers,
                      const Session& session) const {
    std::vector<std::string_view> names;
    names.reserve(handlers.size());
    for (const store::HandlerView& handler : handlers) names.emplace_back(handler.name.callable);
    const std::string_view near = workflow::NearestOf(name_, names);
    return NotFound(
        "the store knows no handler '" + name_ + "'" +
        (resolver_ ? " with the resolver '" + *resolver_ + "'" : "") +
        (near.empty() || near == name_ ? "" : "; did you mean '" + std::string(near) + "'?") +
        "; list them with " + session.CommandLine("handler list"));
  }

  const bool pause_;
  std::string name_;
  std::optional<std::string> resolver_;
  Who who_;
};

}  // namespace

std::unique_ptr<Command> MakeHandlerPause() { return std::make_unique<HandlerPause>(true); }
std::unique_ptr<Command> MakeHandlerResume() { return std::make_unique<HandlerPause>(false); }

}  // namespace tasker::cli
