#include "cli/attendant.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <string>

#include "base/enumerate.h"
#include "cli/client.h"
#include "log/log.h"
#include "workflow/state.h"

namespace tasker::cli {
namespace {

Steady Now() { return std::chrono::steady_clock::now(); }

void AddCounts(const Result<store::StoreCounts>& counts, log::Fields& fields) {
  if (!counts) {
    fields.emplace_back("store_error", counts.error().message);
    return;
  }
  for (const auto& [state, count] : counts->tasks) {
    if (count > 0) fields.emplace_back("tasks_" + std::string(workflow::Name(state)), count);
  }
  fields.emplace_back("steps_enqueued", counts->enqueued);
  fields.emplace_back("steps_in_progress", counts->in_progress);
  fields.emplace_back("steps_waiting_for_retry", counts->waiting_for_retry);
  if (counts->oldest_step) {
    fields.emplace_back("oldest_step_task", counts->oldest_step->task.ToString());
    fields.emplace_back("oldest_step_handler", counts->oldest_step->handler);
    const auto waits = WallNow() - *counts->oldest_ready;
    fields.emplace_back("oldest_step_waits_ms",
                        std::chrono::duration_cast<std::chrono::milliseconds>(waits).count());
  }
  fields.emplace_back("dead_letters", counts->dead_letters);
  fields.emplace_back("file_bytes", counts->file_bytes);
  fields.emplace_back("wal_bytes", counts->wal_bytes);
}

}  // namespace

int Attendant::Wait(int done) {
  while (true) {
    int timeout = -1;
    if (manager_.watch_interval()) {
      if (Now() >= next_feed_) Feed();
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_feed_ - Now());
      timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
    }
    // A negative descriptor is left out.
    std::array<pollfd, 2> fds{pollfd{signals_.fd(), POLLIN, 0}, pollfd{done, POLLIN, 0}};
    ::poll(fds.data(), fds.size(), timeout);
    if ((fds[1].revents & POLLIN) != 0) return 0;
    const int signal = signals_.Take();
    if (signal == SIGUSR1) {
      LogStatus();
    } else if (signal != 0) {
      return signal;
    }
  }
}

void Attendant::Feed() {
  next_feed_ = Now() + *manager_.watch_interval();
  const std::uint64_t beats = host_.status().beats;
  // A turn thread that stands still is what the watchdog is for.
  if (beats == beats_ && !stopping_) return;
  beats_ = beats;
  manager_.Alive();
}

void Attendant::LogStatus() const {
  const pipeline::HostStatus status = host_.status();
  std::string running;
  for (const plugin::Instance::Running& call : status.running) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Now() - call.since);
    running.append(running.empty() ? "" : ", ")
        .append(call.handler + " (step " + call.step_name + ", " + std::to_string(seconds.count()) +
                " s)");
  }
  log::Fields fields = {{"worker", status.worker},
                        {"store", status.store_path},
                        {"durability", status.durability},
                        {"ready", status.ready ? "true" : "false"},
                        {"not_ready", status.not_ready},
                        {"beats", status.beats},
                        {"running_count", std::uint64_t{status.running.size()}},
                        {"running", running},
                        {"missing_handlers", Joined(status.missing_handlers)},
                        {"last_error", status.last_error}};
  store::VisitCounts(status,
                     [&](const char* name, auto count) { fields.emplace_back(name, count); });
  AddCounts(host_.Counts(), fields);
  log::Info("main", "status", fields);
}

}  // namespace tasker::cli
