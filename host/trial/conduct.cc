#include "trial/conduct.h"

#include <poll.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/enumerate.h"
#include "plugin/library.h"
#include "plugin/tokens.h"
#include "trial/process_state.h"
#include "trial/solo.h"

namespace tasker::trial {
namespace {

using Severity = Finding::Severity;
using plugin::HandlerInfo;

constexpr std::chrono::seconds kThreadsLeaveWithin{2};
constexpr char kFirstEnd[] = "drain and shutdown";
constexpr int kLookAgainMs = 5;
constexpr int kCancelTriesMax = 20;

// The loader's own failures; whatever else a handler says is its own affair.
constexpr std::string_view kDefects[] = {"InvalidResult", "ResultTooLarge", "InvalidCheckpoint",
                                         "tasker.dropped", "tasker.refused"};

Steady Now() { return std::chrono::steady_clock::now(); }

std::string Seconds(std::chrono::milliseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

class Run final {
 public:
  Run(const Trial& trial, const Observer& observer)
      : trial_(trial),
        observer_(observer),
        prefix_("plugin " + trial.file + ": "),
        state_(ProcessState::Now()),
        threads_(ThreadsNow()) {}

  bool Whole() {
    observer_.begins("loading");
    const auto library = plugin::Library::Open(trial_.file);
    if (!library) return Say(Severity::kError, "load", library.error().message), true;
    Say(Severity::kOk, "load",
        "plugin " + (*library)->entry().name + " " + (*library)->entry().version);
    const auto config = trial_.configs.find((*library)->entry().name);
    if (config != trial_.configs.end()) config_json_ = config->second;
    bool ended = true;
    if (Init("init")) ended = Live();
    LookAtProcess();
    LookAtTokens();
    return ended;
  }

 private:
  void Say(Severity severity, std::string name, std::string found) {
    observer_.found({std::move(name), severity, std::move(found), {}});
  }

  bool Init(const std::string& phase) {
    observer_.begins(phase);
    auto solo = Solo::Load(trial_.file, config_json_, trial_.limits);
    if (solo) {
      solo_ = *std::move(solo);
      return true;
    }
    const bool again = phase != "init";
    if (again && solo.error().message.find("E_WRONG_STATE") != std::string::npos) {
      Say(Severity::kOk, "restart", "it starts once in a process, and says so");
    } else {
      Say(Severity::kError, again ? "restart" : "init",
          solo.error().message + (again ? "; start anew, or answer TASKER_E_WRONG_STATE"
                                        : "; mend its init, or its table in worker.toml"));
    }
    return false;
  }

  bool Live() {
    SayHandlers();
    if (trial_.step) {
      RunStep();
      CancelStep();
    }
    if (!End(kFirstEnd)) return false;
    LookAtThreads();
    if (!Init("second init")) return true;
    if (!End("second drain and shutdown")) return false;
    Say(Severity::kOk, "restart", "it starts again in the same process");
    return true;
  }

  void SayHandlers() {
    std::vector<std::string> ids;
    for (const HandlerInfo& handler : solo_->Handlers()) ids.push_back(handler.id);
    Say(Severity::kOk, "init", "its init succeeds");
    if (!ids.empty()) {
      Say(Severity::kOk, "handlers", "it registers " + Enumerate(ids));
    } else if (solo_->may_find_more()) {
      Say(Severity::kOk, "handlers", "it registers none before a template names one");
    } else {
      Say(Severity::kWarning, "handlers",
          prefix_ +
              "it registers no handler, so no step can run in it; call register_handler in "
              "its init");
    }
  }

  // False: there is no end, which was said.
  bool Attempt(const char* name) {
    const StepRequest& step = *trial_.step;
    if (!solo_->WaitReady(step.handler, step.method, step.resolver, Now() + trial_.patience)) {
      Say(Severity::kError, name,
          prefix_ + "it has no handler '" + step.handler +
              "' that takes a step; name one of its handlers with --handler");
      return false;
    }
    solo_->Start(InputOf(step, ++claim_));
    return true;
  }

  void RunStep() {
    observer_.begins("step");
    if (!Attempt("step")) return;
    const std::string who = "handler '" + trial_.step->handler + "' ";
    if (solo_->WaitEnd(Now() + trial_.patience) != Solo::Waited::kEnded) {
      stuck_ = true;
      Say(Severity::kError, "step",
          prefix_ + who + "did not end its step within " + Seconds(trial_.patience) +
              "; call complete, fail or yield for each token, or raise --patience");
      return;
    }
    step_ended_ = true;
    const workflow::Outcome outcome = solo_->end()->outcome;
    const auto* const failed = std::get_if<workflow::Failed>(&outcome);
    if (failed == nullptr) {
      Say(Severity::kOk, "step", who + "ends its step");
      return;
    }
    const bool defect = std::ranges::find(kDefects, failed->type) != std::end(kDefects);
    Say(defect ? Severity::kError : Severity::kWarning, "step",
        prefix_ + who + "failed its step (" + failed->type + "): " + failed->message +
            (defect ? "; mend the handler" : "; mend the handler, or give it what it needs"));
  }

  void CancelStep() {
    if (!step_ended_) return;
    observer_.begins("cancel");
    const std::string who = "handler '" + trial_.step->handler + "' ";
    // An attempt that is cancelled before its start() is only handed back.
    for (int tries = 0; tries < kCancelTriesMax; ++tries) {
      if (!Attempt("cancel")) return;
      while (!solo_->end() && solo_->instance().RunningCalls().empty())
        ::poll(nullptr, 0, kLookAgainMs);
      solo_->instance().Cancel(claim_, plugin::CancelReason::kCancelled);
      if (solo_->WaitEnd(Now() + trial_.patience) != Solo::Waited::kEnded) {
        stuck_ = true;
        Say(Severity::kError, "cancel",
            prefix_ + who + "did not end within " + Seconds(trial_.patience) +
                " of being cancelled; heed cancel(), or heartbeat's TASKER_E_CANCELLED");
        return;
      }
      if (!std::holds_alternative<workflow::HandedBack>(solo_->end()->outcome)) break;
    }
    Say(Severity::kOk, "cancel", who + "ends when it is cancelled");
  }

  bool End(const std::string& phase) {
    observer_.begins(phase);
    const Status stopped = solo_->Stop(Now() + trial_.patience);
    const plugin::Ledger leaked = solo_->instance().Leaked();
    if (!stopped && !stuck_) {
      Say(Severity::kError, "end",
          stopped.error().message + "; end all that runs by the drain's deadline" +
              (leaked.empty() ? "" : ", and give back " + leaked.ToString()));
    } else if (stopped && phase == kFirstEnd) {
      if (leaked.empty()) {
        Say(Severity::kOk, "end", "it drains, shuts down and holds nothing of the host's");
      } else {
        Say(Severity::kError, "end",
            prefix_ + "it ends and still holds " + leaked.ToString() +
                "; release what the host gives it before its shutdown returns");
      }
    }
    if (stopped) {
      solo_.reset();
    } else {
      static_cast<void>(solo_.release());  // The plugin uses it until the process is gone.
    }
    return stopped.has_value();
  }

  // A thread that was joined stays in the kernel's list for a moment.
  void LookAtThreads() {
    const Steady deadline = Now() + kThreadsLeaveWithin;
    std::vector<std::string> left;
    do {
      left.clear();
      for (const int thread : ThreadsNow()) {
        if (threads_.contains(thread)) continue;
        const std::string name = ThreadName(thread);
        if (!name.empty()) left.push_back(name);
      }
      if (left.empty()) break;
      ::poll(nullptr, 0, kLookAgainMs);
    } while (Now() < deadline);
    if (left.empty()) {
      Say(Severity::kOk, "threads", "no thread is left after its shutdown");
    } else {
      Say(Severity::kError, "threads",
          prefix_ + "after its shutdown " + std::to_string(left.size()) +
              (left.size() == 1 ? " thread still runs (" : " threads still run (") +
              Enumerate(left) + "); join every thread in shutdown");
    }
  }

  void LookAtProcess() {
    std::vector<std::string> changed = state_.DiffersFrom(ProcessState::Now());
    if (const int forks = ForksSince(); forks > 0) {
      Say(Severity::kError, "fork",
          prefix_ + "it called fork " + std::to_string(forks) + (forks == 1 ? " time" : " times") +
              ", which loses the host's threads and locks in the child; use posix_spawn");
    }
    if (changed.empty()) {
      Say(Severity::kOk, "process", "signal handlers, locale, folder and umask are as they were");
    } else {
      Say(Severity::kError, "process",
          prefix_ + "it changed " + Enumerate(changed) +
              " of the whole process; leave that to the host");
    }
  }

  void LookAtTokens() {
    const plugin::TokenSlab& slab = plugin::TokenSlab::OfProcess();
    const std::string who =
        trial_.step ? "handler '" + trial_.step->handler + "' " : std::string("it ");
    if (slab.late_ends() > 0) {
      Say(Severity::kError, "tokens",
          prefix_ + who +
              "ended an attempt that had ended or was released; end each attempt once, "
              "before its token is released");
    } else if (slab.late_releases() > 0) {
      Say(Severity::kError, "tokens",
          prefix_ + who + "released a token that was gone; release each reference once");
    } else if (trial_.step) {
      Say(Severity::kOk, "tokens", "each token is used once");
    }
  }

  const Trial& trial_;
  const Observer& observer_;
  const std::string prefix_;
  const ProcessState state_;
  const std::set<int> threads_;
  std::string config_json_ = "{}";
  std::unique_ptr<Solo> solo_;
  std::int64_t claim_ = 0;
  bool step_ended_ = false;
  bool stuck_ = false;  // an attempt did not end, which was said
};

}  // namespace

bool Conduct(const Trial& trial, const Observer& observer) {
  CountForks();
  return Run(trial, observer).Whole();
}

}  // namespace tasker::trial
