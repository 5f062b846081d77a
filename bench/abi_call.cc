// What it costs to hand a step to a native handler and to take its end: an attempt's start, the
// handler's own call of complete, without a result, and the release of its token, without a store
// or a thread between. The clock is this program's own.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/in_process.h"
#include "plugin/registry.h"

namespace tasker::bench {
namespace {

constexpr char kHandler[] = "bench.bare";
constexpr auto kStopMax = std::chrono::seconds(10);
// What a step is given is made before the clock starts, and not long before: in the host, too, it
// is still in the processor's cache.
constexpr std::int64_t kBatch = 64;

std::unique_ptr<plugin::StepInput> MakeInput(std::int64_t claim) {
  auto input = std::make_unique<plugin::StepInput>();
  input->claim = claim;
  input->handler = kHandler;
  input->task_namespace = "bench";
  input->task_name = "one_step";
  input->task_version = "1.0.0";
  input->step_name = "only";
  input->context = input->config.owned = input->dependencies = "{}";
  return input;
}

Status Measure(const std::string& library, std::int64_t calls) {
  std::int64_t ended = 0;
  plugin::HostCalls host;
  host.finished = [&](std::int64_t, const workflow::Outcome& outcome, Steady) {
    ended += std::holds_alternative<workflow::Succeeded>(outcome) ? 1 : 0;
  };
  host.checkpoint = [](std::int64_t, const std::string&) { return Ok(); };
  host.demand_changed = [] {};
  plugin::HandlerRegistry registry;
  TRY(const auto instance, plugin::InProcess::Load(library, registry, host, {}, "{}"));
  std::vector<std::unique_ptr<plugin::StepInput>> inputs;
  std::chrono::duration<double, std::nano> took{};
  for (std::int64_t done = 0; done < calls; done += kBatch) {
    inputs.clear();
    for (std::int64_t i = 0; i < std::min(kBatch, calls - done); ++i)
      inputs.push_back(MakeInput(done + i + 1));
    const auto start = std::chrono::steady_clock::now();
    for (auto& input : inputs) instance->Start(kHandler, std::move(input));
    took += std::chrono::steady_clock::now() - start;
  }
  std::printf("{\"ns\":%.1f,\"calls\":%lld}\n", took.count() / static_cast<double>(calls),
              static_cast<long long>(calls));
  TRY_OK(instance->Stop(std::chrono::steady_clock::now() + kStopMax));
  if (ended == calls) return Ok();
  return Internal(std::to_string(calls - ended) + " attempts did not end well");
}

}  // namespace
}  // namespace tasker::bench

int main(int argc, char** argv) {
  std::int64_t calls = 0;
  if (argc == 3) {
    const std::string_view text = argv[2];
    std::from_chars(text.data(), text.data() + text.size(), calls);
  }
  if (calls < 1) {
    std::fprintf(stderr, "abi_call: pass the library of bench_noop and a count of calls.\n");
    return 2;
  }
  const auto measured = tasker::bench::Measure(argv[1], calls);
  if (!measured) std::fprintf(stderr, "abi_call: %s\n", measured.error().message.c_str());
  return measured ? 0 : 1;
}
