#include "cli/watch.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "cli/signals.h"
#include "workflow/state.h"

namespace tasker::cli {
namespace {

using std::chrono::steady_clock;

// Between two looks at the task: a busy host rings far more often than anybody can see.
constexpr std::chrono::milliseconds kPause{50};
// The bell rings for what somebody has to do, not for every end of a step; and a picture shows
// times that pass.
constexpr std::chrono::milliseconds kTick{250};
constexpr std::chrono::milliseconds kHintEvery{1000};

class Watch {
 public:
  Watch(const Session& session, Client& client, const Uuid& task, Progress& progress,
        Signals& signals)
      : session_(session), client_(client), task_(task), progress_(progress), signals_(signals) {}

  Result<Watched> Run() {
    Watched watched;
    TRY(watched.view, client_.reader->Task(task_));
    progress_.Show(watched.view, {}, WallNow());
    while (!workflow::IsSettled(watched.view.summary.state)) {
      Wait();
      if (signals_.Take() != 0) {
        watched.interrupted = true;
        return watched;
      }
      TRY(const bool changed, client_.store->Changed());
      if (changed) {
        TRY(watched.view, client_.reader->Task(task_));
        looked_ = steady_clock::now();
      }
      TRY_OK(Hint(watched.view));
      progress_.Show(watched.view, hints_, WallNow());
    }
    return watched;
  }

 private:
  // Until the bell rings, a signal comes or a tick is over; at least for the pause, but for a
  // signal.
  void Wait() {
    std::array<pollfd, 2> fds{pollfd{signals_.fd(), POLLIN, 0},
                              pollfd{client_.store->bell_fd(), POLLIN, 0}};
    const auto pause =
        std::chrono::ceil<std::chrono::milliseconds>(looked_ + kPause - steady_clock::now());
    if (pause.count() > 0 && ::poll(fds.data(), 1, static_cast<int>(pause.count())) != 0) return;
    ::poll(fds.data(), fds.size(), static_cast<int>(kTick.count()));
  }

  Status Hint(const store::TaskView& view) {
    const auto now = steady_clock::now();
    if (workflow::IsSettled(view.summary.state)) hints_.clear();
    if (now < next_hint_ || workflow::IsSettled(view.summary.state)) return Ok();
    next_hint_ = now + kHintEvery;
    TRY(hints_, MissingHandlers(session_, client_, view));
    return Ok();
  }

  const Session& session_;
  Client& client_;
  const Uuid task_;
  Progress& progress_;
  Signals& signals_;
  steady_clock::time_point looked_ = steady_clock::now();
  steady_clock::time_point next_hint_ = looked_ + kHintEvery;
  std::vector<std::string> hints_;
};

}  // namespace

Result<Watched> WatchTask(const Session& session, Client& client, const Uuid& task,
                          Progress& progress) {
  TRY(const std::unique_ptr<Signals> signals, Signals::Open());
  return Watch(session, client, task, progress, *signals).Run();
}

Result<std::vector<std::string>> MissingHandlers(const Session& session, Client& client,
                                                 const store::TaskView& view) {
  using Handler = std::pair<std::string, std::string>;  // callable, resolver
  std::map<Handler, std::vector<std::string>> wanted;   // the steps that wait for each
  for (const store::StepView& step : view.steps) {
    if (step.row.state == workflow::StepState::kEnqueued)
      wanted[{step.handler, step.resolver}].push_back(step.name);
  }
  std::vector<std::string> sentences;
  if (wanted.empty()) return sentences;
  TRY(const std::vector<std::int64_t> alive, LiveWorkers(*client.store));
  std::set<Handler> served;
  for (const std::int64_t worker : alive) {
    TRY(const std::vector<store::HandlerName> handlers, client.reader->HandlersOf(worker));
    for (const store::HandlerName& handler : handlers)
      served.emplace(handler.callable, handler.resolver);
  }
  for (const auto& [handler, steps] : wanted) {
    if (served.contains(handler)) continue;
    std::string sentence =
        "no running host has handler '" + handler.first + "' (step " + steps.front();
    if (steps.size() > 1) sentence += " and " + std::to_string(steps.size() - 1) + " more";
    sentence += alive.empty() ? "): start one with `" + session.CommandLine("run") +
                                    "` and a plugin that registers it; the task waits"
                              : "): put a plugin that registers it into a plugin folder, check it "
                                "with `" +
                                    session.CommandLine("plugin list") +
                                    "`, and restart the host; the task waits";
    sentences.push_back(std::move(sentence));
  }
  return sentences;
}

}  // namespace tasker::cli
