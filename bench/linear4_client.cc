// A client of a store, as the CLI is one: puts many linear4 tasks into it, or runs one after the
// other and says how long each took from before its submit until this process has seen its end.

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
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
  const store::NewTemplate text{"bench", "linear4", "1.0.0", workflow::Sha256Hex(body), body};
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

Status Run(const std::string& store_path, const std::string& template_path, std::int64_t count) {
  store::OpenOptions options;
  options.path = store_path;
  TRY(const auto store, store::Store::Open(options));
  TRY(const std::int64_t template_id, RegisterTemplate(*store, template_path));
  return SubmitMany(*store, template_id, count);
}

}  // namespace
}  // namespace tasker::bench

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv, argv + argc);
  std::int64_t count = 0;
  if (args.size() == 4) std::from_chars(args[3].data(), args[3].data() + args[3].size(), count);
  if (count < 1) {
    std::fprintf(
        stderr,
        "linear4_client: pass the store's file, the template's file and a count of tasks.\n");
    return 2;
  }
  const auto status = tasker::bench::Run(args[1], args[2], count);
  if (!status) std::fprintf(stderr, "linear4_client: %s\n", status.error().message.c_str());
  return status ? 0 : 1;
}
