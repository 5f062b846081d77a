// Turns over each backend against a plain model of the rules, under the same random operations.
// Usage: store_model_test [--ops N] [--seeds N] [--seed S]: so many seeds from S on, and over all
// of them at least so many operations.
#include <gtest/gtest.h>

#include <iostream>

#include "tests/model/random_store.h"

namespace tasker::testing {
namespace {

// So many operations hit every transition, whatever the seed.
constexpr std::uint64_t kEnoughForAll = 100'000;

const RandomRun* run = nullptr;

void RunSeeds(BackendKind kind) {
  Coverage<workflow::StepState> steps;
  Coverage<workflow::TaskState> tasks;
  std::uint64_t operations = 0;
  std::uint64_t seeds = 0;
  const std::uint64_t each = (*run)["ops"] / (*run)["seeds"] + 1;
  for (; seeds < (*run)["seeds"] && !::testing::Test::HasFailure(); ++seeds) {
    const std::uint64_t seed = (*run)["seed"] + seeds;
    SCOPED_TRACE("--seeds 1 --seed " + std::to_string(seed) + " --ops " + std::to_string(each - 1));
    RandomStore store(kind, seed);
    while (store.operations() < each && !::testing::Test::HasFailure()) store.Step();
    if (!::testing::Test::HasFailure()) store.Drain();
    operations += store.operations();
    steps.Add(store.step_moves().moves());
    tasks.Add(store.task_moves().moves());
  }
  std::cout << NameOf(kind) << ": " << operations << " operations on " << seeds << " seeds\n";
  if (::testing::Test::HasFailure()) return;
  const bool all_of_it = operations >= kEnoughForAll;
  steps.Report("step", workflow::kStepStates, all_of_it);
  tasks.Report("task", workflow::kTaskStates, all_of_it);
}

TEST(StoreModel, MemoryIsAsTheRulesSay) { RunSeeds(BackendKind::kMemory); }
TEST(StoreModel, SqliteIsAsTheRulesSay) { RunSeeds(BackendKind::kSqlite); }

}  // namespace
}  // namespace tasker::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const tasker::testing::RandomRun run(argc, argv, {{"ops", 10'000}, {"seeds", 100}});
  if (!run.valid()) return 2;
  tasker::testing::run = &run;
  return RUN_ALL_TESTS();
}
