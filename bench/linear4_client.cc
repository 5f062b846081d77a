// A client of a store, as the CLI is one: puts many linear4 tasks into it, or runs one after the other and says how long
// each took from before its submit until this process has seen its end.

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"
#include "store/reads.h"
#include "store/store.h"
#include "workflow/identity.h"
#include "workflow/state.h"

namespace tasker::bench {
namespace {

constexpr std::int64_t kTasksPerSubmit = 1000;  // as bench/floor does
constexpr std::int64_t kWarmUpRuns = 20;        // not counted: caches fill, files grow
constexpr auto kRunMax = std::chrono::seconds(10);

Result<std::int64_t> RegisterTemplate(store::Store& store, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string body{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return Error{ErrorCode::kNotFound, "read " + path + ": there is no such file"};
  const store::NewTemplate text{"bench", "linear4", "1.0.0", workflow::Sha256Hex(body), body};
  TRY(const auto registered, store.Register({&text, 1}));
  return registered.front().id;
}

Status SubmitBatch(store::Store& store, Clock& clock, const std::vector<Uuid>& tasks, std::int64_t template_id) {
  store::TurnInput in;
  in.now = clock.Now();
  for (const Uuid& task : tasks) {
    store::Submit submit;
    submit.ticket = store::Ticket{1};
    submit.task = task;
    submit.template_id = template_id;
    in.events.emplace_back(std::move(submit));
  }
  TRY(const auto out, store.Commit(in));
  for (const store::Ack& ack : out.acks) {
    if (ack.code != store::Ack::Code::kApplied) return Error{ErrorCode::kInternal, "submit was refused: " + ack.detail};
  }
  return Ok();
}

Status SubmitMany(store::Store& store, std::int64_t template_id, std::int64_t count) {
  SystemClock clock;
  for (std::int64_t done = 0; done < count; done += kTasksPerSubmit) {
    std::vector<Uuid> tasks(static_cast<std::size_t>(std::min(kTasksPerSubmit, count - done)));
    std::generate(tasks.begin(), tasks.end(), Uuid::New);
    TRY_OK(SubmitBatch(store, clock, tasks, template_id));
  }
  return Ok();
}

Status WaitUntilComplete(store::Store& store, store::Reader& reader, const Uuid& task) {
  const Steady give_up = std::chrono::steady_clock::now() + kRunMax;
  while (std::chrono::steady_clock::now() < give_up) {
    TRY(const auto summary, reader.Summary(task));
    if (summary.state == workflow::TaskState::kComplete) return Ok();
    if (workflow::IsSettled(summary.state)) {
      return Error{ErrorCode::kInternal, "task " + task.ToString() + " ended as " + std::string(Name(summary.state))};
    }
    pollfd bell{store.bell_fd(), POLLIN, 0};
    poll(&bell, 1, 1000);
    TRY([[maybe_unused]] const bool changed, store.Changed());
  }
  return Error{ErrorCode::kTimeout, "task " + task.ToString() + " did not end within 10 s; does a host run on this store?"};
}

Status RunSerially(store::Store& store, std::int64_t template_id, std::int64_t count) {
  SystemClock clock;
  TRY(const auto reader, store.NewReader());
  std::vector<double> ms;
  for (std::int64_t i = -kWarmUpRuns; i < count; ++i) {
    const Uuid task = Uuid::New();
    const Steady start = std::chrono::steady_clock::now();
    TRY_OK(SubmitBatch(store, clock, {task}, template_id));
    TRY_OK(WaitUntilComplete(store, *reader, task));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (i >= 0) ms.push_back(took.count());
  }
  std::sort(ms.begin(), ms.end());
  const std::size_t n = ms.size();
  std::printf("{\"p50\":%.3f,\"p99\":%.3f,\"runs\":%zu}\n", ms[(n - 1) / 2], ms[(n * 99 + 99) / 100 - 1], n);
  return Ok();
}

Status Run(std::string_view mode, const std::string& store_path, const std::string& template_path, std::int64_t count) {
  store::OpenOptions options;
  options.path = store_path;
  TRY(const auto store, store::Store::Open(options));
  TRY(const std::int64_t template_id, RegisterTemplate(*store, template_path));
  return mode == "submit" ? SubmitMany(*store, template_id, count) : RunSerially(*store, template_id, count);
}

}  // namespace
}  // namespace tasker::bench

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv, argv + argc);
  std::int64_t count = 0;
  if (args.size() == 5) std::from_chars(args[4].data(), args[4].data() + args[4].size(), count);
  if (count < 1 || (args[1] != "submit" && args[1] != "latency")) {
    std::fprintf(stderr, "linear4_client: pass submit or latency, the store's file, the template's file and a count.\n");
    return 2;
  }
  const auto status = tasker::bench::Run(args[1], args[2], args[3], count);
  if (!status) std::fprintf(stderr, "linear4_client: %s\n", status.error().message.c_str());
  return status ? 0 : 1;
}
