#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/simulated_hosts.h"

namespace tasker::testing {

// One store of each kind, and what tests of it say often.
class BackendTest : public ::testing::TestWithParam<BackendKind> {
 protected:
  using Host = SimulatedStore::Host;

  store::Submit NewSubmit(std::int64_t template_id, std::int32_t priority = 0) {
    store::Submit submit;
    submit.ticket = store::Ticket{++tickets_};
    submit.task = Uuid::New();
    submit.template_id = template_id;
    submit.priority = priority;
    return submit;
  }
  store::Act NewAct(const Uuid& task, store::Act::Kind kind,
                    std::optional<std::int32_t> n = std::nullopt) {
    store::Act act;
    act.ticket = store::Ticket{++tickets_};
    act.id = Uuid::New();
    act.task = task;
    act.n = n;
    act.kind = kind;
    act.actor = "ann";
    act.reason = "because";
    return act;
  }
  store::End NewEnd(const store::Claimed& claimed, workflow::Outcome outcome) {
    return {.step = claimed.step,
            .claim = claimed.claim,
            .outcome = std::move(outcome),
            .claimed = claimed.claimed,
            .started = now_,
            .ended = now_};
  }
  static workflow::Succeeded Success(std::string result) {
    workflow::Succeeded succeeded;
    succeeded.result = std::move(result);
    return succeeded;
  }
  static workflow::Failed Failure(bool retryable) {
    workflow::Failed failed;
    failed.retryable = retryable;
    failed.type = "Broken";
    failed.message = "it broke";
    return failed;
  }

  // One turn, a millisecond later, that must succeed.
  store::TurnOutput Turn(Host& host, std::vector<store::Event> events, std::int32_t free = 0) {
    now_ += std::chrono::milliseconds(1);
    auto out = host.Turn(now_, std::move(events), SimulatedStore::WantAll(free));
    EXPECT_TRUE(out) << out.error().message;
    return out ? *std::move(out) : store::TurnOutput{};
  }

  workflow::StepRow StepAt(const store::StepKey& key) { return Read().steps.at(key); }
  StoreSnapshot Read() { return store_.backend().Read(); }

  SimulatedStore store_{GetParam()};
  Time now_ = FromMicros(1'700'000'000'000'000);
  std::uint64_t tickets_ = 0;
};

inline std::string BackendName(const ::testing::TestParamInfo<BackendKind>& info) {
  return NameOf(info.param);
}

}  // namespace tasker::testing
