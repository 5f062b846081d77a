#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "workflow/template.h"

namespace tasker::workflow {
namespace {

// Every field of a template: absent, its default, valid, of a wrong type, out of range; each with
// its message.

constexpr std::string_view kTop = "name: t\nnamespace_name: ns\nversion: 1.0.0\n";

// `top` are lines from line 4 on.
std::string WithTop(std::string_view top) {
  return std::string(kTop) + std::string(top) +
         "\nsteps:\n  - name: a\n    handler: {callable: h}\n";
}

// `lines` of one step, from line 7 on.
std::string WithStep(std::string_view lines) {
  std::string text = std::string(kTop) + "steps:\n  - name: a\n    handler: {callable: h}\n";
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    text += "    " + std::string(lines.substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  return text;
}

// The error; or, if it parses, what the template's JSON holds at the JSON pointer.
std::string Outcome(const std::string& text, std::string_view pointer) {
  const Result<ParsedTemplate> parsed = ParseTemplate(text, "t.yaml", false);
  if (!parsed) return parsed.error().message;
  EXPECT_TRUE(parsed->warnings.empty()) << text << parsed->warnings[0].message;
  boost::json::error_code code;
  const boost::json::value json = boost::json::parse(TemplateToJson(parsed->task_template));
  const boost::json::value* at = json.find_pointer({pointer.data(), pointer.size()}, code);
  return at == nullptr ? "(not there)" : boost::json::serialize(*at);
}

struct FieldCase {
  std::string_view pointer;  // into the template's JSON
  std::string_view lines;
  std::string_view outcome;  // the JSON there, or the error
};

const FieldCase kTemplateCases[] = {
    {"/description", "", "null"},
    {"/description", "description:", "null"},
    {"/description", "description: A \"text\"", R"("A \"text\"")"},
    {"/description", "description: 5", R"("5")"},
    {"/description", "description: [a]",
     "t.yaml:4: description of the template is a list; write a text"},
    {"/description", "description: \"\"",
     "t.yaml:4: description of the template is 0 bytes long; write 1 to 10000"},
    {"/metadata", "", "null"},
    {"/metadata", "metadata: {}",
     R"({"author":null,"tags":[],"documentation_url":null,"created_at":null,"updated_at":null})"},
    {"/metadata",
     "metadata: {author: me, tags: [a, 1], documentation_url: , created_at: 2026-01-01T00:00:00Z}",
     R"({"author":"me","tags":["a","1"],"documentation_url":null,"created_at":"2026-01-01T00:00:00Z",)"
     R"("updated_at":null})"},
    {"/metadata", "metadata: me",
     "t.yaml:4: the metadata is 'me'; write keys with values: author, tags, "
     "documentation_url, created_at, updated_at"},
    {"/metadata", "metadata: {tags: a}",
     "t.yaml:4: tags of the metadata is 'a'; write a list of names"},
    {"/metadata", "metadata: {tags: [[a]]}",
     "t.yaml:4: tags of the metadata is a list; write a list of names of 1 to 255 bytes"},
    {"/system_dependencies", "", R"({"primary":"default","secondary":[]})"},
    {"/system_dependencies", "system_dependencies: {}", R"({"primary":"default","secondary":[]})"},
    {"/system_dependencies", "system_dependencies: {primary: p, secondary: [q, r]}",
     R"({"primary":"p","secondary":["q","r"]})"},
    {"/system_dependencies", "system_dependencies: []",
     "t.yaml:4: the system_dependencies is a list; write keys with values: primary, secondary"},
    {"/domain_events", "", "[]"},
    {"/domain_events", "domain_events: []", "[]"},
    {"/domain_events", "domain_events: [{name: e, schema: {type: object}}]",
     R"([{"name":"e","description":null,"schema":{"type":"object"}}])"},
    {"/domain_events", "domain_events: {}",
     "t.yaml:4: domain_events of the template is a mapping; write a list"},
    {"/domain_events", "domain_events: [{}]",
     "t.yaml:4: a domain event has no name; write name: TEXT"},
    {"/input_schema", "", "null"},
    {"/input_schema", "input_schema:", "null"},
    {"/input_schema", "input_schema: {type: object, required: [a]}",
     R"({"type":"object","required":["a"]})"},
    {"/input_schema", "input_schema: [a]",
     "t.yaml:4: the input_schema is no JSON Schema: [\"a\"] is no schema; write an object, or true "
     "or false"},
    {"/input_schema", "input_schema:\n  properties:\n    a: {type: int}",
     "t.yaml:5: the input_schema is no JSON Schema: at /properties/a/type: \"int\" is wrong here; "
     "write array, "
     "boolean, "
     "integer, null, number, object or string, or a list of these"},
    {"/environments", "", "{}"},
    {"/environments", "environments: {test: {}}", R"({"test":{"steps":[]}})"},
    {"/environments",
     "environments: {test: {steps: [{name: ALL, handler: {initialization: {a: 1}}, "
     "timeout_seconds: , "
     "retry: {max_attempts: 1}}]}}",
     R"({"test":{"steps":[{"name":"ALL","handler":{"initialization":{"a":1}},"timeout_seconds":null,)"
     R"("retry":{"retryable":true,"max_attempts":1,"backoff":"exponential","backoff_base_ms":null,)"
     R"("max_backoff_ms":30000}}]}})"},
    {"/environments", "environments: [test]",
     "t.yaml:4: environments of the template is a list; write a mapping"},
    {"/environments", "environments: {test: 5}",
     "t.yaml:4: the environment 'test' is '5'; write keys with values: steps"},
    {"/environments", "environments: {test: {steps: [{timeout_seconds: 5}]}}",
     "t.yaml:4: a step of the environment 'test' has no name; write name: TEXT"},
    {"/environments", "environments: {test: {steps: [{name: a, handler: {initialization: 5}}]}}",
     "t.yaml:4: initialization of the handler of a step of the environment 'test' is '5'; write a "
     "mapping"},
    {"/lifecycle", "", "null"},
    {"/lifecycle", "lifecycle: {}",
     R"({"max_duration_minutes":null,"max_waiting_for_dependencies_minutes":null,"max_waiting_for_retry_minutes":null,)"
     R"("max_steps_in_process_minutes":null,"staleness_action":"dlq","auto_fail_on_timeout":null,)"
     R"("auto_dlq_on_timeout":null})"},
    {"/lifecycle/max_duration_minutes", "lifecycle: {max_duration_minutes: 43200}", "43200"},
    {"/lifecycle/max_duration_minutes", "lifecycle: {max_duration_minutes: 0}",
     "t.yaml:4: max_duration_minutes of the lifecycle is '0'; write a whole number from 1 to "
     "43200"},
    {"/lifecycle/max_duration_minutes", "lifecycle: {max_duration_minutes: 1.5}",
     "t.yaml:4: max_duration_minutes of the lifecycle is '1.5'; write a whole number from 1 to "
     "43200"},
    {"/lifecycle/max_waiting_for_dependencies_minutes",
     "lifecycle: {max_waiting_for_dependencies_minutes: 10080}", "10080"},
    {"/lifecycle", "lifecycle: {max_waiting_for_retry_minutes: 10081}",
     "t.yaml:4: max_waiting_for_retry_minutes of the lifecycle is '10081'; write a whole number "
     "from 1 to "
     "10080"},
    {"/lifecycle", "lifecycle: {max_steps_in_process_minutes: soon}",
     "t.yaml:4: max_steps_in_process_minutes of the lifecycle is 'soon'; write a whole number from "
     "1 to 10080"},
    {"/lifecycle/staleness_action", "lifecycle: {staleness_action: none}", R"("none")"},
    {"/lifecycle", "lifecycle: {staleness_action: drop}",
     "t.yaml:4: staleness_action of the lifecycle is 'drop'; write one of: dlq, error, none"},
    {"/lifecycle/auto_fail_on_timeout", "lifecycle: {auto_fail_on_timeout: TRUE}", "true"},
    {"/lifecycle", "lifecycle: {auto_dlq_on_timeout: yes}",
     "t.yaml:4: auto_dlq_on_timeout of the lifecycle is 'yes'; write true or false"},
};

TEST(TemplateField, OfTheTemplate) {
  for (const FieldCase& c : kTemplateCases)
    EXPECT_EQ(Outcome(WithTop(c.lines), c.pointer), c.outcome) << c.lines;
}

TEST(TemplateField, ThatNamesTheTemplate) {
  const std::string steps = "steps: [{name: a, handler: {callable: h}}]\n";
  const FieldCase cases[] = {
      {"/name", "name: t\nnamespace_name: ns\nversion: 1.0.0", R"("t")"},
      {"/version", "name: t\nnamespace_name: ns\nversion: 1.10", R"("1.10")"},
      {"/namespace_name", "name: t\nnamespace_name: _Ns9\nversion: 1", R"("_Ns9")"},
      {"", "namespace_name: ns\nversion: 1",
       "t.yaml:1: the template has no name; write name: TEXT"},
      {"", "name:\nnamespace_name: ns\nversion: 1",
       "t.yaml:1: the template has no name; write name: TEXT"},
      {"", "name: t\nversion: 1",
       "t.yaml:1: the template has no namespace_name; write namespace_name: TEXT"},
      {"", "name: t\nnamespace_name: ns",
       "t.yaml:1: the template has no version; write version: TEXT"},
      {"", "name: {a: b}\nnamespace_name: ns\nversion: 1",
       "t.yaml:1: name of the template is a mapping; write a text"},
      {"", "name: a b\nnamespace_name: ns\nversion: 1",
       "t.yaml:1: name of the template is 'a b'; write a text without spaces, / and @"},
      {"", "name: a/b\nnamespace_name: ns\nversion: 1",
       "t.yaml:1: name of the template is 'a/b'; write a text without spaces, / and @"},
      {"", "name: t\nnamespace_name: ns\nversion: 1@2",
       "t.yaml:3: version of the template is '1@2'; write a text without spaces, / and @"},
      {"", "name: t\nnamespace_name: my-ns\nversion: 1",
       "t.yaml:2: namespace_name of the template is 'my-ns'; write letters, digits and _ only, "
       "with a letter "
       "first"},
      {"", "name: t\nnamespace_name: 9ns\nversion: 1",
       "t.yaml:2: namespace_name of the template is '9ns'; write letters, digits and _ only, with "
       "a letter first"},
      {"", "name: t\nnamespace_name: abcdefghijklmnopqrstuvwxyz1234\nversion: 1",
       "t.yaml:2: namespace_name of the template is 30 bytes long; write 1 to 29"},
      {"",
       "name: t\nnamespace_name: ns\nversion: 123456789012345678901234567890123456789012345678901",
       "t.yaml:3: version of the template is 51 bytes long; write 1 to 50"},
  };
  for (const FieldCase& c : cases) {
    EXPECT_EQ(Outcome(std::string(c.lines) + "\n" + steps, c.pointer), c.outcome) << c.lines;
  }
  EXPECT_EQ(Outcome("name: " + std::string(256, 'n') + "\nnamespace_name: ns\nversion: 1\n" + steps,
                    "/name"),
            "t.yaml:1: name of the template is 256 bytes long; write 1 to 255");
}

const FieldCase kStepCases[] = {
    {"/steps/0/description", "", "null"},
    {"/steps/0/description", "description: d", R"("d")"},
    {"/steps/0/description", "description: {}",
     "t.yaml:7: description of step 'a' is a mapping; write a text"},
    {"/steps/0/type", "", R"("standard")"},
    {"/steps/0/type", "type: standard", R"("standard")"},
    {"/steps/0/type", "step_type: standard", R"("standard")"},
    {"/steps/0/type", "type: decision",
     "t.yaml:7: step 'a' is of the type decision, which this version does not run; "
     "make it standard, or wait for a later release"},
    {"/steps/0/type", "step_type: deferred_convergence",
     "t.yaml:7: step 'a' is of the type deferred_convergence, which this version does not run; "
     "make it "
     "standard, or wait "
     "for a later release"},
    {"/steps/0/type", "type: batchable",
     "t.yaml:7: step 'a' is of the type batchable, which this version does not run; "
     "make it standard, or wait for a later release"},
    {"/steps/0/type", "type: batch_worker",
     "t.yaml:7: step 'a' is of the type batch_worker, which this version does not "
     "run; make it standard, or wait for a later release"},
    {"/steps/0/type", "type: other", "t.yaml:7: type of step 'a' is 'other'; write standard"},
    {"/steps/0/type", "type: [standard]", "t.yaml:7: type of step 'a' is a list; write standard"},
    {"/steps/0/type", "type: standard\nstep_type: standard",
     "t.yaml:8: step 'a' has both type and step_type, which mean the same; keep type"},
    {"/steps/0/system_dependency", "", "null"},
    {"/steps/0/system_dependency", "system_dependency: crm", R"("crm")"},
    {"/steps/0/system_dependency", "system_dependency: []",
     "t.yaml:7: system_dependency of step 'a' is a list; write a text"},
    {"/steps/0/dependencies", "", "[]"},
    {"/steps/0/dependencies", "dependencies:", "[]"},
    {"/steps/0/dependencies", "dependencies: []", "[]"},
    {"/steps/0/dependencies", "dependencies: a",
     "t.yaml:7: dependencies of step 'a' is 'a'; write a list of names"},
    {"/steps/0/dependencies", "depends_on: [[a]]",
     "t.yaml:7: dependencies of step 'a' is a list; write a list of names of 1 to 255 bytes"},
    {"/steps/0/dependencies", "dependencies: []\ndepends_on: []",
     "t.yaml:8: step 'a' has both dependencies and depends_on, which mean the same; keep "
     "dependencies"},
    {"/steps/0/timeout_seconds", "", "null"},
    {"/steps/0/timeout_seconds", "timeout_seconds:", "null"},
    {"/steps/0/timeout_seconds", "timeout_seconds: 30", "30"},
    {"/steps/0/timeout_seconds", "timeout_seconds: 0",
     "t.yaml:7: timeout_seconds of step 'a' is '0'; write a whole number from 1 to 2592000"},
    {"/steps/0/timeout_seconds", "timeout_seconds: 30s",
     "t.yaml:7: timeout_seconds of step 'a' is '30s'; write a whole number from 1 to 2592000"},
    {"/steps/0/timeout_seconds", "timeout_seconds: \"30\"",
     "t.yaml:7: timeout_seconds of step 'a' is the text '30'; write a whole number from 1 to "
     "2592000"},
    {"/steps/0/timeout_seconds", "timeout_seconds: 99999999999999999999",
     "t.yaml:7: timeout_seconds of step 'a' is '99999999999999999999'; write a whole number from 1 "
     "to 2592000"},
    {"/steps/0/publishes_events", "", "[]"},
    {"/steps/0/publishes_events", "publishes_events: []", "[]"},
    {"/steps/0/publishes_events", "publishes_events: [{name: a.b, schema: {}}]",
     R"([{"name":"a.b","description":null,"condition":"success","schema":{},"delivery_mode":"durable",)"
     R"("publisher":null}])"},
    {"/steps/0/publishes_events",
     "publishes_events: [{name: a.b, description: d, condition: always, schema: {}, delivery_mode: "
     "fast, "
     "publisher: P}]",
     R"([{"name":"a.b","description":"d","condition":"always","schema":{},"delivery_mode":"fast","publisher":"P"}])"},
    {"/steps/0", "publishes_events: x",
     "t.yaml:7: publishes_events of step 'a' is 'x'; write a list"},
    {"/steps/0", "publishes_events: [a.b]",
     "t.yaml:7: an event of step 'a' is 'a.b'; write keys with values: name, "
     "description, condition, schema, delivery_mode, publisher"},
    {"/steps/0", "publishes_events: [{name: A.b, schema: {}}]",
     "t.yaml:7: name of an event of step 'a' is 'A.b'; write "
     "small letters, digits, _ and . only, as in order.paid"},
    {"/steps/0", "publishes_events: [{name: a.b}]",
     "t.yaml:7: an event of step 'a' has no schema; write schema: {type: object}"},
    {"/steps/0", "publishes_events: [{name: a.b, schema: {}, condition: never}]",
     "t.yaml:7: condition of an event of step 'a' is 'never'; write one of: success, failure, "
     "retryable_failure, "
     "permanent_failure, always"},
    {"/steps/0", "publishes_events: [{name: a.b, schema: {}, delivery_mode: slow}]",
     "t.yaml:7: delivery_mode of an event of step 'a' is 'slow'; write one of: durable, fast, "
     "broadcast"},
    {"/steps/0/batch_config", "", "null"},
    {"/steps/0/batch_config",
     "batch_config: {batch_size: 10, parallelism: 2, cursor_field: id, worker_template: w, "
     "failure_strategy: "
     "isolate}",
     R"({"batch_size":10,"parallelism":2,"cursor_field":"id","worker_template":"w","failure_strategy":"isolate"})"},
    {"/steps/0", "batch_config: {batch_size: 0}",
     "t.yaml:7: batch_size of the batch_config of step 'a' is '0'; write a whole number from 1 to "
     "100000"},
    {"/steps/0", "batch_config: {batch_size: 1}",
     "t.yaml:7: the batch_config of step 'a' has no parallelism; write parallelism: 10"},
    {"/steps/0/result_schema", "", "(not there)"},
    {"/steps/0/result_schema", "result_schema: {type: object}", R"({"type":"object"})"},
    {"/steps/0/composition", "", "(not there)"},
    {"/steps/0/composition", "composition: {x: [1]}", R"({"x":[1]})"},
};

TEST(TemplateField, OfAStep) {
  for (const FieldCase& c : kStepCases)
    EXPECT_EQ(Outcome(WithStep(c.lines), c.pointer), c.outcome) << c.lines;
}

TEST(TemplateField, OfRetry) {
  const std::string range = "; write a whole number from 0 to 3600000";
  const std::string path = "/steps/0/retry";
  const FieldCase cases[] = {
      {path, "",
       R"({"retryable":true,"max_attempts":3,"backoff":"exponential","backoff_base_ms":1000,"max_backoff_ms":30000})"},
      {path, "retry:",
       R"({"retryable":true,"max_attempts":3,"backoff":"exponential","backoff_base_ms":1000,"max_backoff_ms":30000})"},
      {path, "retry: {}",
       R"({"retryable":true,"max_attempts":3,"backoff":"exponential","backoff_base_ms":null,"max_backoff_ms":30000})"},
      {path,
       "retry: {retryable: false, max_attempts: 0, backoff: fibonacci, backoff_base_ms: 0, "
       "max_backoff_ms: "
       "3600000}",
       R"({"retryable":false,"max_attempts":0,"backoff":"fibonacci","backoff_base_ms":0,"max_backoff_ms":3600000})"},
      {"/steps/0/retry/backoff", "retry: {backoff: none}", R"("none")"},
      {"/steps/0/retry/backoff", "retry: {backoff: linear}", R"("linear")"},
      {"/steps/0/retry/max_attempts", "retry: {max_attempts: 100}", "100"},
      {path, "retry: 5",
       "t.yaml:7: the retry of step 'a' is '5'; write keys with values: retryable, max_attempts, "
       "backoff, "
       "backoff_base_ms, max_backoff_ms"},
      {path, "retry: {retryable: yes}",
       "t.yaml:7: retryable of the retry of step 'a' is 'yes'; write true or false"},
      {path, "retry: {retryable: \"true\"}",
       "t.yaml:7: retryable of the retry of step 'a' is the text 'true'; write true or false"},
      {path, "retry: {max_attempts: 101}",
       "t.yaml:7: max_attempts of the retry of step 'a' is '101'; write a whole number from 0 to "
       "100"},
      {path, "retry: {max_attempts: -1}",
       "t.yaml:7: max_attempts of the retry of step 'a' is '-1'; write a whole number from 0 to "
       "100"},
      {path, "retry: {max_attempts: [3]}",
       "t.yaml:7: max_attempts of the retry of step 'a' is a list; write a whole number from 0 to "
       "100"},
      {path, "retry: {backoff: quadratic}",
       "t.yaml:7: backoff of the retry of step 'a' is 'quadratic'; write one of: "
       "exponential, none, linear, fibonacci"},
      {path, "retry: {backoff_base_ms: 3600001}",
       "t.yaml:7: backoff_base_ms of the retry of step 'a' is '3600001'; write a "
       "whole number from 0 to 3600000"},
      {path, "retry: {backoff_base_ms: 1e3}",
       "t.yaml:7: backoff_base_ms of the retry of step 'a' is '1e3'; write a whole number from 0 "
       "to 3600000"},
      {path, "retry: {max_backoff_ms: -5}",
       "t.yaml:7: max_backoff_ms of the retry of step 'a' is '-5'; write a whole number from 0 to "
       "3600000"},
  };
  for (const FieldCase& c : cases)
    EXPECT_EQ(Outcome(WithStep(c.lines), c.pointer), c.outcome) << c.lines;
}

TEST(TemplateField, OfTheHandler) {
  const std::string top = std::string(kTop) + "steps:\n  - name: a\n    ";
  const FieldCase cases[] = {
      {"/steps/0/handler", "handler: {callable: h}",
       R"({"callable":"h","method":null,"resolver":null,"initialization":{}})"},
      {"/steps/0/handler",
       "handler: {callable: A::B.c, method: run, resolver: explicit_mapping, initialization: {a: "
       "{b: [1]}}}",
       R"({"callable":"A::B.c","method":"run","resolver":"explicit_mapping","initialization":{"a":{"b":[1]}}})"},
      {"/steps/0/handler/initialization", "handler: {callable: h, initialization: }", "{}"},
      {"", "description: d", "t.yaml:5: step 'a' has no handler; write handler: {callable: NAME}"},
      {"", "handler:", "t.yaml:5: step 'a' has no handler; write handler: {callable: NAME}"},
      {"", "handler: h",
       "t.yaml:6: the handler of step 'a' is 'h'; write keys with values: callable, method, "
       "resolver, "
       "initialization"},
      {"", "handler: {}",
       "t.yaml:6: the handler of step 'a' has no callable; write callable: TEXT"},
      {"", "handler: {callable: \"\"}",
       "t.yaml:6: callable of the handler of step 'a' is 0 bytes long; write 1 to 500"},
      {"", "handler: {callable: [h]}",
       "t.yaml:6: callable of the handler of step 'a' is a list; write a text"},
      {"", "handler: {callable: h, method: []}",
       "t.yaml:6: method of the handler of step 'a' is a list; write a text"},
      {"", "handler: {callable: h, resolver: {}}",
       "t.yaml:6: resolver of the handler of step 'a' is a mapping; write a text"},
      {"", "handler: {callable: h, initialization: 5}",
       "t.yaml:6: initialization of the handler of step 'a' is '5'; write a mapping"},
  };
  for (const FieldCase& c : cases)
    EXPECT_EQ(Outcome(top + std::string(c.lines) + "\n", c.pointer), c.outcome) << c.lines;
  EXPECT_EQ(Outcome(top + "handler: {callable: " + std::string(501, 'h') + "}\n", ""),
            "t.yaml:6: callable of the handler of step 'a' is 501 bytes long; write 1 to 500");
}

TEST(TemplateField, OfTheListOfSteps) {
  const FieldCase cases[] = {
      {"", "",
       "t.yaml:1: the template has no steps; write steps: [{name: NAME, handler: {callable: "
       "NAME}}]"},
      {"", "steps:",
       "t.yaml:1: the template has no steps; write steps: [{name: NAME, handler: {callable: "
       "NAME}}]"},
      {"", "steps: []",
       "t.yaml:1: the template has no steps; write steps: [{name: NAME, handler: {callable: "
       "NAME}}]"},
      {"", "steps: {a: b}", "t.yaml:4: steps of the template is a mapping; write a list"},
      {"", "steps: [a]",
       "t.yaml:4: step number 1 is 'a'; write keys with values: name, description, handler, type, "
       "step_type, "
       "system_dependency, dependencies, depends_on, retry, timeout_seconds, publishes_events, "
       "batch_config, "
       "result_schema, "
       "composition"},
      {"", "steps: [{name: a, handler: {callable: h}}, {handler: {callable: h}}]",
       "t.yaml:4: step number 2 has no name; write name: TEXT"},
  };
  for (const FieldCase& c : cases)
    EXPECT_EQ(Outcome(std::string(kTop) + std::string(c.lines) + "\n", ""), c.outcome) << c.lines;
}

}  // namespace
}  // namespace tasker::workflow
