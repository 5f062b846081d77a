// How long the turn takes that claims one step and the turn that ends it, of a worker whose store
// holds many more that are ready: the calls that the host's turn thread makes, by the clock of this
// program.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "store/store.h"
#include "workflow/outcome.h"

namespace tasker::bench {
namespace {

constexpr std::size_t kWarmUpTurns = 50;  // not counted: caches fill

double MsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

Status Measure(const std::string& path, std::size_t turns) {
  store::TuneProcess();
  store::OpenOptions options;
  options.path = path;
  TRY(const auto opened, store::Store::Open(options));
  store::Store& store = *opened;
  TRY(const std::int64_t worker,
      store.Join({.uuid = Uuid::New(), .host = "bench", .version = "bench", .namespaces = {}}));
  const store::HandlerName noop{.callable = "bench.noop", .resolver = "", .idempotent = true};
  TRY(const auto handlers, store.Intern({&noop, 1}));
  SystemClock clock;
  std::vector<double> ms;
  std::vector<store::Event> events{store::Announce{handlers}};
  for (std::size_t i = 0; i < kWarmUpTurns + turns; ++i) {
    store::TurnInput in;
    in.worker = worker;
    in.now = clock.Now();
    in.demand = {{.handlers = handlers, .free = 1}};
    in.free_total = 1;
    in.events = std::move(events);
    const auto start = std::chrono::steady_clock::now();
    TRY(const auto out, store.Commit(in));
    const double took = MsSince(start);
    if (out.claimed.size() != 1) return Internal("a turn claimed nothing");
    if (i >= kWarmUpTurns) ms.push_back(took);
    store::End end;
    end.step = out.claimed.front().step;
    end.claim = out.claimed.front().claim;
    end.outcome = workflow::Succeeded{};
    end.claimed = end.started = end.ended = in.now;
    events = {std::move(end)};
  }
  std::ranges::sort(ms);
  std::printf("{\"p50\":%.4f,\"p99\":%.4f,\"turns\":%zu}\n", ms[(turns - 1) / 2],
              ms[(turns * 99 + 99) / 100 - 1], turns);
  return Ok();
}

}  // namespace
}  // namespace tasker::bench

int main(int argc, char** argv) {
  std::size_t turns = 0;
  if (argc == 3) {
    const std::string_view text = argv[2];
    std::from_chars(text.data(), text.data() + text.size(), turns);
  }
  if (turns < 1) {
    std::fprintf(stderr, "claim_turns: pass the store's file and a count of turns.\n");
    return 2;
  }
  const auto measured = tasker::bench::Measure(argv[1], turns);
  if (!measured) std::fprintf(stderr, "claim_turns: %s\n", measured.error().message.c_str());
  return measured ? 0 : 1;
}
