// An application with the host inside: submits one task of a template after the other to an idle
// host and says how long each took from before its submit until the application knew its end. The
// clock is the application's own.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/host.h"
#include "store/store.h"

namespace tasker::bench {
namespace {

constexpr int kWarmUpRuns = 20;  // not counted: caches fill, files grow
constexpr auto kRunMax = std::chrono::seconds(10);

Result<double> RunOnce(pipeline::Host& host, const std::string& name) {
  const auto start = std::chrono::steady_clock::now();
  TRY(const auto submitted, host.Submit(name, {}));
  TRY(const auto state, host.WaitSettled(submitted.task, start + kRunMax));
  if (state != workflow::TaskState::kComplete) return Internal("a task did not end complete");
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

Status Measure(const std::string& folder, const std::string& template_file,
               const std::string& plugins, std::size_t runs) {
  const std::filesystem::path file(template_file);
  store::TuneProcess();
  config::Config config;
  config.store.path = folder + "/.tasker/tasker.db";
  config.worker.id = "bench";
  config.templates.paths = {file.parent_path()};
  config.plugins.dirs = {plugins};
  TRY(const auto host, pipeline::Host::Start(config));
  const std::string name = "bench/" + file.stem().string();
  std::vector<double> ms;
  for (std::size_t i = 0; i < kWarmUpRuns + runs; ++i) {
    TRY(const double took, RunOnce(*host, name));
    if (i >= kWarmUpRuns) ms.push_back(took);
  }
  const double mean = std::reduce(ms.begin(), ms.end()) / static_cast<double>(runs);
  std::ranges::sort(ms);
  std::printf("{\"p50\":%.3f,\"p99\":%.3f,\"mean\":%.4f,\"runs\":%zu}\n", ms[(runs - 1) / 2],
              ms[(runs * 99 + 99) / 100 - 1], mean, runs);
  return host->Stop(std::chrono::steady_clock::now() + kRunMax);
}

}  // namespace
}  // namespace tasker::bench

int main(int argc, char** argv) {
  std::size_t runs = 0;
  if (argc == 5) {
    const std::string_view text = argv[4];
    std::from_chars(text.data(), text.data() + text.size(), runs);
  }
  if (runs < 1) {
    std::fprintf(stderr,
                 "application: pass an empty folder, a template's file, the plugins' folder and a "
                 "count of runs.\n");
    return 2;
  }
  const auto measured = tasker::bench::Measure(argv[1], argv[2], argv[3], runs);
  if (measured) return 0;
  std::fprintf(stderr, "application: %s\n", measured.error().message.c_str());
  return 1;
}
