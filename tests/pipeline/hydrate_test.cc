#include "pipeline/hydrate.h"

#include <gtest/gtest.h>

#include <memory>

#include "pipeline/timestamps.h"
#include "tests/support/workflow_builder.h"
#include "workflow/identity.h"
#include "workflow/schema.h"

namespace tasker::pipeline {
namespace {

const Uuid kTask = *Uuid::Parse("01920000-0000-7000-8000-000000000001");
const Time kCreated = FromMicros(1'756'425'600'000'007);
const Time kClaimed = FromMicros(1'756'425'601'500'000);

// s0 and s1 without parents, s2 after both, s3 after s2.
std::shared_ptr<const store::Workflow> Flow() {
  workflow::Workflow flow = testing::BuildWorkflow({{}, {}, {0, 1}, {2}});
  workflow::StepDefinition& step = flow.definition.steps[2];
  step.name = "join \"all\"";
  step.handler.callable = "app.Join";
  step.handler.method = "call";
  step.handler.initialization = R"({"size":3})";
  step.definition = R"({"name":"join"})";
  step.retry.max_attempts = 5;
  return std::make_shared<const store::Workflow>(std::move(flow));
}

store::Claimed ClaimOf(std::int32_t n) {
  store::Claimed claimed;
  claimed.step = {42, n};
  claimed.claim = store::ClaimId{(std::int64_t{3} << 40) | 9};
  claimed.task = kTask;
  claimed.workflow = Flow();
  claimed.template_step = n;
  claimed.attempt = 2;
  claimed.crashes = 1;
  claimed.priority = -4;
  claimed.created = kCreated;
  claimed.claimed = kClaimed;
  return claimed;
}

std::unique_ptr<plugin::StepInput> Build(const store::Claimed& claimed, store::Hydrated hydrated) {
  return BuildInput(claimed, TextsOf(*claimed.workflow, claimed.template_step),
                    std::move(hydrated));
}

TEST(Hydrate, GivesTheHandlerWhatTheTemplateSays) {
  const store::Claimed claimed = ClaimOf(2);
  store::Hydrated hydrated;
  hydrated.input.context = R"({"a":1})";
  hydrated.checkpoint = "[7]";
  const auto input = Build(claimed, std::move(hydrated));
  EXPECT_EQ(input->handler, "app.Join");
  EXPECT_EQ(input->method, "call");
  EXPECT_EQ(input->resolver, "");
  EXPECT_EQ(input->task_namespace, "tests");
  EXPECT_EQ(input->task_name, "flow");
  EXPECT_EQ(input->task_version, "1.0.0");
  EXPECT_EQ(input->step_name, "join \"all\"");
  EXPECT_EQ(input->max_attempts, 5U);
  EXPECT_EQ(input->config.view(), R"({"size":3})");
  EXPECT_EQ(input->inputs.view(), R"({"size":3})");
  EXPECT_EQ(input->definition.view(), R"({"name":"join"})");
  EXPECT_EQ(input->context, R"({"a":1})");
  EXPECT_EQ(input->checkpoint, "[7]");
  EXPECT_FALSE(input->deadline);
}

TEST(Hydrate, NamesTheAttempt) {
  const auto input = Build(ClaimOf(2), {});
  EXPECT_EQ(input->claim, (std::int64_t{3} << 40) | 9);
  EXPECT_EQ(input->attempt, 2U);
  EXPECT_EQ(input->crashes, 1U);
  EXPECT_EQ(input->priority, -4);
  EXPECT_EQ(input->task, kTask);
  EXPECT_EQ(input->step, workflow::StepUuid(kTask, 2));
  EXPECT_EQ(input->call_id, workflow::CallId(kTask, input->claim));
  EXPECT_EQ(input->idempotency_key, "01920000-0000-7000-8000-000000000001:join \"all\"");
}

TEST(Hydrate, CorrelatesWithTheTaskUnlessItSaysOtherwise) {
  EXPECT_EQ(Build(ClaimOf(2), {})->correlation, kTask);
  store::Hydrated hydrated;
  hydrated.input.envelope = R"({"correlation_id":"01920000-0000-7000-8000-0000000000ff"})";
  EXPECT_EQ(Build(ClaimOf(2), hydrated)->correlation.ToString(),
            "01920000-0000-7000-8000-0000000000ff");
}

TEST(Hydrate, GivesAnEmptyObjectToAStepWithoutDependencies) {
  EXPECT_EQ(Build(ClaimOf(0), {})->dependencies, "{}");
}

TEST(Hydrate, GivesTheResultsOfAllAncestorsByName) {
  store::Hydrated hydrated;
  hydrated.dependencies = {{0, "36", R"({"rows":2})", kCreated}, {2, R"({"x":[1]})", "", kClaimed}};
  const auto input = Build(ClaimOf(3), std::move(hydrated));
  EXPECT_EQ(
      input->dependencies,
      R"({"s0":{"step_uuid":")" + workflow::StepUuid(kTask, 0).ToString() +
          R"(","success":true,"result":36,"status":"completed","metadata":{"retryable":false,)"
          R"("completed_at":"2025-08-29T00:00:00.000007Z","custom":{"rows":2}}},)"
          R"("join \"all\"":{"step_uuid":")" +
          workflow::StepUuid(kTask, 2).ToString() +
          R"(","success":true,"result":{"x":[1]},"status":"completed","metadata":{"retryable":false,)"
          R"("completed_at":"2025-08-29T00:00:01.500000Z","custom":{}}}})");
  EXPECT_TRUE(workflow::CheckJson(input->dependencies, 64));
}

TEST(Hydrate, GivesTheRowsAsUpstreamHasThem) {
  const auto input = Build(ClaimOf(2), {});
  const std::string task = kTask.ToString();
  EXPECT_EQ(
      input->task_row,
      R"({"task_uuid":")" + task + R"(","named_task_uuid":")" +
          workflow::NamedTaskUuid("tests", "flow", "1.0.0").ToString() +
          R"(","complete":false,"requested_at":"2025-08-29T00:00:00.000007","initiator":null,)"
          R"("source_system":null,"reason":null,"tags":null,"identity_hash":null,"priority":-4,)"
          R"("created_at":"2025-08-29T00:00:00.000007",)"
          R"("updated_at":"2025-08-29T00:00:01.500000","correlation_id":")" +
          task + R"(","parent_correlation_id":null})");
  EXPECT_EQ(
      input->step_row,
      R"({"workflow_step_uuid":")" + workflow::StepUuid(kTask, 2).ToString() +
          R"(","task_uuid":")" + task + R"(","named_step_uuid":")" +
          workflow::NamedStepUuid("tests", "flow", "1.0.0", "join \"all\"").ToString() +
          R"(","name":"join \"all\"","template_step_name":"join \"all\"","retryable":true,"max_attempts":5,)"
          R"("in_process":true,"processed":false,"processed_at":null,"attempts":1,"last_attempted_at":null,)"
          R"("backoff_request_seconds":null,"created_at":"2025-08-29T00:00:00.000007",)"
          R"("updated_at":"2025-08-29T00:00:01.500000"})");
  EXPECT_TRUE(workflow::CheckJson(input->task_row, 64));
  EXPECT_TRUE(workflow::CheckJson(input->step_row, 64));
}

TEST(Hydrate, GivesTheTaskRowWhatTheRequestSaid) {
  store::Hydrated hydrated;
  hydrated.input.envelope =
      R"({"tags":["eu"],"correlation_id":"01920000-0000-7000-8000-0000000000ff",)"
      R"("parent_correlation_id":"01920000-0000-7000-8000-0000000000fe",)"
      R"("requested_at":"2025-08-28T00:00:00.000000","options":{"x":1},)"
      R"("initiator":"ann","source_system":"web","reason":"a sale"})";
  EXPECT_EQ(
      Build(ClaimOf(2), std::move(hydrated))->task_row,
      R"({"task_uuid":")" + kTask.ToString() + R"(","named_task_uuid":")" +
          workflow::NamedTaskUuid("tests", "flow", "1.0.0").ToString() +
          R"(","complete":false,"requested_at":"2025-08-28T00:00:00.000000","initiator":"ann",)"
          R"("source_system":"web","reason":"a sale","tags":["eu"],"identity_hash":null,)"
          R"("priority":-4,"created_at":"2025-08-29T00:00:00.000007",)"
          R"("updated_at":"2025-08-29T00:00:01.500000",)"
          R"("correlation_id":"01920000-0000-7000-8000-0000000000ff",)"
          R"("parent_correlation_id":"01920000-0000-7000-8000-0000000000fe"})");
}

// Upstream's row counts earlier attempts, the ABI counts from one.
TEST(Hydrate, CountsNoEarlierAttemptInTheFirst) {
  store::Claimed claimed = ClaimOf(2);
  claimed.attempt = 1;
  const auto input = Build(claimed, {});
  EXPECT_EQ(input->attempt, 1U);
  EXPECT_NE(input->step_row.find(R"("attempts":0,)"), std::string::npos);
}

TEST(Hydrate, KeepsTheTemplatesTextsAliveWithTheInput) {
  std::unique_ptr<plugin::StepInput> input;
  {
    const store::Claimed claimed = ClaimOf(2);
    input = Build(claimed, {});
  }
  EXPECT_EQ(input->definition.view(), R"({"name":"join"})");
}

TEST(Timestamp, WritesMicrosecondsWithoutAZone) {
  std::string text;
  AppendTimestamp(FromMicros(0), text);
  text += ' ';
  AppendTimestamp(FromMicros(951'782'399'999'999), text);
  EXPECT_EQ(text, "1970-01-01T00:00:00.000000 2000-02-28T23:59:59.999999");
}

}  // namespace
}  // namespace tasker::pipeline
