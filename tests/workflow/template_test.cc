#include "workflow/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tasker::workflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// In the manner of the templates that Tasker's own repository holds: keys of older versions, empty
// values, a header.
constexpr std::string_view kUpstreamLike = R"(# Payment
---
name: card_payment
namespace_name: payments
version: 1.0.0
description: "Charge a card"
metadata:
  author: somebody
  tags:
    - namespace:payments
  documentation_url:
  created_at: "2025-08-17T20:18:41Z"
  notes: "informative"
task_handler:
  callable: payments.CardPayment
system_dependencies:
  primary: gateway
  secondary: []
domain_events: []
input_schema:
  type: object
  required:
    - order_id
  properties:
    order_id: {type: integer, minimum: 1}
    email: {type: string, format: email}
steps:
  - name: validate
    description: Check the card
    handler:
      callable: Payments::ValidateHandler
      initialization:
        rules:
          - cvv
          - limits
        threshold: 0.8
        url: "${GATEWAY_URL}"
    system_dependency:
    dependencies: []
    retry:
      retryable: true
      limit: 3
      backoff: exponential
      backoff_base_ms: 1000
      max_backoff_ms: 30000
    timeout_seconds: 30
    publishes_events: []
  - name: charge
    handler:
      callable: Payments::ChargeHandler
    depends_on:
      - validate
environments:
  test:
    steps:
      - name: validate
        handler:
          initialization:
            debug: true
        timeout_seconds:
        retry:
loaded_from: "/home/somebody/card_payment.yaml"
)";

TEST(ParseTemplate, ReadsTaskersOwnTemplates) {
  const auto parsed = ParseTemplate(kUpstreamLike, "card.yaml", false);
  ASSERT_TRUE(parsed) << parsed.error().message;
  const TaskTemplate& t = parsed->task_template;
  EXPECT_EQ(t.name, "card_payment");
  EXPECT_EQ(t.namespace_name, "payments");
  EXPECT_EQ(t.version, "1.0.0");
  EXPECT_EQ(t.description, "Charge a card");
  EXPECT_EQ(
      t.input_schema,
      R"({"type":"object","required":["order_id"],"properties":{"order_id":{"type":"integer",)"
      R"("minimum":1},"email":{"type":"string","format":"email"}}})");
  ASSERT_EQ(t.steps.size(), 2u);
  EXPECT_EQ(t.steps[0].name, "validate");
  EXPECT_EQ(t.steps[0].description, "Check the card");
  EXPECT_EQ(t.steps[0].handler.callable, "Payments::ValidateHandler");
  EXPECT_EQ(t.steps[0].handler.initialization,
            R"({"rules":["cvv","limits"],"threshold":0.8,"url":"${GATEWAY_URL}"})");
  EXPECT_EQ(t.steps[0].timeout_seconds, 30);
  EXPECT_EQ(t.steps[0].retry.base_ms, 1000);
  EXPECT_THAT(t.steps[1].dependencies, ElementsAre("validate"));
  EXPECT_EQ(t.steps[1].retry.max_attempts, 3);
  EXPECT_EQ(t.steps[1].retry.base_ms, 1000);
}

TEST(ParseTemplate, WarnsOfUnknownKeysWithLineAndAdvice) {
  const auto parsed = ParseTemplate(kUpstreamLike, "card.yaml", false);
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->warnings.size(), 4u);
  EXPECT_EQ(parsed->warnings[0].line, 13);
  EXPECT_EQ(parsed->warnings[0].message,
            "the metadata has no key 'notes', so it is ignored; remove it, or write one of: "
            "author, tags, "
            "documentation_url, created_at, updated_at");
  EXPECT_EQ(parsed->warnings[1].line, 14);
  EXPECT_THAT(parsed->warnings[1].message, HasSubstr("the template has no key 'task_handler'"));
  EXPECT_EQ(parsed->warnings[2].line, 42);
  EXPECT_EQ(
      parsed->warnings[2].message,
      "the retry of step 'validate' has no key 'limit', so it is ignored; write max_attempts");
  EXPECT_EQ(parsed->warnings[3].line, 62);
  EXPECT_THAT(parsed->warnings[3].message, HasSubstr("'loaded_from'"));
}

TEST(ParseTemplate, NamesTheNearestKnownKey) {
  const std::string text =
      "name: t\nnamespace_name: ns\nversion: 1\nsteps:\n  - name: a\n    handler: {callable: h, "
      "initialisation: "
      "{}}\n"
      "    timout_seconds: 5\n    retry: {max_atempts: 2}\n";
  const auto parsed = ParseTemplate(text, "t.yaml", false);
  ASSERT_TRUE(parsed) << parsed.error().message;
  ASSERT_EQ(parsed->warnings.size(), 3u);
  EXPECT_EQ(parsed->warnings[0].line, 6);
  EXPECT_EQ(parsed->warnings[0].message,
            "the handler of step 'a' has no key 'initialisation', so it is ignored; did you mean "
            "initialization?");
  EXPECT_EQ(parsed->warnings[1].line, 7);
  EXPECT_THAT(parsed->warnings[1].message, HasSubstr("did you mean timeout_seconds?"));
  EXPECT_THAT(parsed->warnings[2].message, HasSubstr("did you mean max_attempts?"));
}

TEST(ParseTemplate, RefusesUnknownKeysWhenStrict) {
  EXPECT_EQ(ParseTemplate("name: t\nverison: 1\n", "t.yaml", true).error().message,
            "t.yaml:2: the template has no key 'verison'; did you mean version?");
  EXPECT_EQ(ParseTemplate(kUpstreamLike, "card.yaml", true).error().message.substr(0, 55),
            "card.yaml:14: the template has no key 'task_handler'; r");
}

TEST(ParseTemplate, NamesKeysWithoutEffectOnceEachSorted) {
  const std::string text =
      "name: t\nnamespace_name: ns\nversion: 1\n"
      "domain_events: [{name: e}]\n"
      "lifecycle: {max_duration_minutes: 5, staleness_action: error, auto_dlq_on_timeout: }\n"
      "environments: {test: {steps: []}}\n"
      "steps:\n"
      "  - {name: a, handler: {callable: h}, timeout_seconds: 5, system_dependency: s, "
      "result_schema: {}, "
      "composition: {}}\n"
      "  - {name: b, handler: {callable: h}, timeout_seconds: 5, publishes_events: [{name: e, "
      "schema: {}}]}\n";
  const auto parsed = ParseTemplate(text, "t.yaml", true);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_THAT(parsed->no_effect, ElementsAre("composition", "domain_events", "environments",
                                             "lifecycle.staleness_action", "publishes_events",
                                             "result_schema", "system_dependency"));
  EXPECT_EQ(parsed->task_template.max_duration_minutes, 5);
}

TEST(ParseTemplate, SaysNothingOfEmptyKeysWithoutEffect) {
  const std::string text =
      "name: t\nnamespace_name: ns\nversion: 1\ndomain_events: []\nlifecycle:\nenvironments: "
      "{}\nsteps:\n"
      "  - {name: a, handler: {callable: h}, timeout_seconds: , system_dependency: , "
      "publishes_events: []}\n";
  const auto parsed = ParseTemplate(text, "t.yaml", true);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_THAT(parsed->no_effect, IsEmpty());
}

TEST(TemplateToJson, FillsEveryDefaultInUpstreamsOrder) {
  const std::string text =
      "name: t\nnamespace_name: ns\nversion: 1\nsteps:\n  - {name: a, handler: {callable: h}}\n"
      "  - {name: b, handler: {callable: h, method: go}, dependencies: [a], retry: {backoff: "
      "linear}}\n";
  const auto parsed = ParseTemplate(text, "t.yaml", true);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(
      TemplateToJson(parsed->task_template),
      R"({"name":"t","namespace_name":"ns","version":"1","description":null,"metadata":null,)"
      R"("system_dependencies":{"primary":"default","secondary":[]},"domain_events":[],"input_schema":null,"steps":[)"
      R"({"name":"a","description":null,"handler":{"callable":"h","method":null,"resolver":null,"initialization":{}},)"
      R"("type":"standard","system_dependency":null,"dependencies":[],"retry":{"retryable":true,"max_attempts":3,)"
      R"("backoff":"exponential","backoff_base_ms":1000,"max_backoff_ms":30000},"timeout_seconds":null,)"
      R"("publishes_events":[],"batch_config":null},)"
      R"({"name":"b","description":null,"handler":{"callable":"h","method":"go","resolver":null,"initialization":{}},)"
      R"("type":"standard","system_dependency":null,"dependencies":["a"],"retry":{"retryable":true,"max_attempts":3,)"
      R"("backoff":"linear","backoff_base_ms":null,"max_backoff_ms":30000},"timeout_seconds":null,)"
      R"("publishes_events":[],"batch_config":null}],"environments":{},"lifecycle":null})");
  EXPECT_EQ(parsed->task_template.steps[1].definition.substr(0, 12), R"({"name":"b",)");
}

TEST(ParseTemplate, NeverFailsOnCutOrChangedText) {
  // Every prefix, and every text with one character changed: an answer or one sentence with a
  // place, never a crash.
  const std::string text(kUpstreamLike);
  for (std::size_t n = 0; n < text.size(); n += 3) {
    const auto cut = ParseTemplate(text.substr(0, n), "t.yaml", false);
    if (!cut) {
      EXPECT_EQ(cut.error().message.substr(0, 7), "t.yaml:") << n;
    }
    std::string changed = text;
    changed[n] = "{}[]:-&*!|>'\"%@`#,?"[n % 19];
    const auto other = ParseTemplate(changed, "t.yaml", n % 2 == 0);
    if (!other) {
      EXPECT_EQ(other.error().message.substr(0, 7), "t.yaml:") << n;
    }
  }
}

}  // namespace
}  // namespace tasker::workflow
