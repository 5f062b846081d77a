#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <tasker/plugin.hpp>

#include "own_record.h"

namespace {

using tasker::testing::OwnRecord;

// Ends attempts on a thread that the plugin made itself.
class OwnThread final {
 public:
  using Work = void (*)(tasker::Call& call, std::thread::id started_on, OwnRecord& record);

  explicit OwnThread(OwnRecord& record) : record_(record), thread_([this] { Run(); }) {}
  ~OwnThread() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  OwnThread(const OwnThread&) = delete;
  OwnThread& operator=(const OwnThread&) = delete;

  void Take(tasker::Call call, Work work) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      jobs_.push_back({std::move(call), work, std::this_thread::get_id()});
    }
    changed_.notify_all();
  }

 private:
  struct Job {
    tasker::Call call;
    Work work;
    std::thread::id started_on;
  };

  void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job.work(job.call, job.started_on, record_);
      lock.lock();
    }
  }

  OwnRecord& record_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool ending_ = false;
  std::thread thread_;  // Last: it uses the others.
};

std::string CheckpointOf(const tasker_step& step) {
  const std::string checkpoint(tasker::view(step.checkpoint));
  return checkpoint.empty() ? "null" : checkpoint;
}

// Its first attempt checkpoints and then waits; its process does not live on.
void Resume(tasker::Call& call, std::thread::id started_on, OwnRecord& record) {
  const std::string checkpoint = CheckpointOf(call.step());
  record.Append("resume.thread starts " + checkpoint);
  if (checkpoint == "null") {
    const tasker_status status = call.checkpoint("{\"position\":41}");
    record.Append("resume.thread checkpointed " + std::to_string(status));
    tasker::testing::WaitAtGate();
  }
  const bool own = started_on != std::this_thread::get_id();
  call.complete("{\"resumed_from\":" + checkpoint + ",\"own_thread\":" + (own ? "true" : "false") +
                "}");
}

void CompleteTwice(tasker::Call& call, std::thread::id, OwnRecord& record) {
  const tasker_status first = call.complete("\"first\"");
  const tasker_status second = call.complete("\"second\"");
  record.Append("resume.twice completed " + std::to_string(first) + " " + std::to_string(second));
}

std::string Milliseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

TASKER_PLUGIN("resume", "1.0.0", plugin) {
  auto& record = plugin.keep<OwnRecord>();
  auto& own_thread = plugin.keep<OwnThread>(record);
  plugin.handler_async("resume.thread",
                       [&](tasker::Call call) { own_thread.Take(std::move(call), &Resume); });
  plugin.handler_async(
      "resume.twice", [&](tasker::Call call) { own_thread.Take(std::move(call), &CompleteTwice); });
  plugin.handler("resume.yield", [&record](const tasker_step& step, tasker::Call& call) {
    const std::string checkpoint = CheckpointOf(step);
    record.Append("resume.yield starts " + Milliseconds() + " " + checkpoint);
    if (checkpoint == "null") call.yield("{\"round\":1}", std::chrono::milliseconds(700));
    return checkpoint;
  });
  plugin.handler("resume.no_json",
                 [](const tasker_step&, tasker::Call&) { return "this is no JSON"; });
}
