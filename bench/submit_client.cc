// A client of a store, as the CLI is one: puts many tasks of a template into it, or, with an
// interval, one after the other, and says when each submit began (CLOCK_MONOTONIC, ns) and how long
// it took.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"
#include "store/store.h"
#include "workflow/identity.h"

namespace tasker::bench {
namespace {

constexpr std::int64_t kTasksPerSubmit = 1000;  // as bench/floor does

Result<std::int64_t> RegisterTemplate(store::Store& store, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string body{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return Error{ErrorCode::kNotFound, "read " + path + ": there is no such file"};
  const std::string name = std::filesystem::path(path).stem();
  const store::NewTemplate text{"bench", name, "1.0.0", workflow::Sha256Hex(body), body};
  TRY(const auto registered, store.Register({&text, 1}));
  return registered.front().id;
}

Status SubmitBatch(store::Store& store, Clock& clock, const std::vector<Uuid>& tasks,
                   std::int64_t template_id) {
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
    if (ack.code != store::Ack::Code::kApplied)
      return Error{ErrorCode::kInternal, "submit was refused: " + ack.detail};
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

std::int64_t NowNs() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

Status SubmitSteadily(store::Store& store, std::int64_t template_id, std::int64_t count,
                      std::chrono::milliseconds every) {
  SystemClock clock;
  auto next = std::chrono::steady_clock::now();
  std::printf("[");
  for (std::int64_t i = 0; i < count; ++i) {
    std::this_thread::sleep_until(next += every);
    const std::int64_t begun = NowNs();
    TRY_OK(SubmitBatch(store, clock, {Uuid::New()}, template_id));
    std::printf("%s[%lld,%lld]", i == 0 ? "" : ",", static_cast<long long>(begun),
                static_cast<long long>(NowNs() - begun));
  }
  std::printf("]\n");
  return Ok();
}

Status Run(const std::string& store_path, const std::string& template_path, std::int64_t count,
           std::int64_t every_ms) {
  store::OpenOptions options;
  options.path = store_path;
  TRY(const auto store, store::Store::Open(options));
  TRY(const std::int64_t template_id, RegisterTemplate(*store, template_path));
  if (every_ms == 0) return SubmitMany(*store, template_id, count);
  return SubmitSteadily(*store, template_id, count, std::chrono::milliseconds(every_ms));
}

}  // namespace
}  // namespace tasker::bench

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv, argv + argc);
  std::int64_t numbers[] = {0, 0};  // count, milliseconds between two submits
  for (std::size_t i = 3; i < args.size() && i < 5; ++i)
    std::from_chars(args[i].data(), args[i].data() + args[i].size(), numbers[i - 3]);
  if (args.size() < 4 || args.size() > 5 || numbers[0] < 1) {
    std::fprintf(
        stderr,
        "submit_client: pass the store's file, the template's file, a count of tasks and, if "
        "they are to come one by one, the milliseconds between them.\n");
    return 2;
  }
  const auto status = tasker::bench::Run(args[1], args[2], numbers[0], numbers[1]);
  if (!status) std::fprintf(stderr, "submit_client: %s\n", status.error().message.c_str());
  return status ? 0 : 1;
}
