#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "workflow/template.h"

namespace tasker::workflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Step {
  std::string name;
  std::string dependencies;  // as YAML
};

// Step k of `steps` stands in line 5 + 3 k.
std::string Template(const std::vector<Step>& steps) {
  std::string text = "name: t\nnamespace_name: ns\nversion: 1.0.0\nsteps:\n";
  for (const Step& step : steps) {
    text += "  - name: " + step.name +
            "\n    handler: {callable: h}\n    dependencies: " + step.dependencies + "\n";
  }
  return text;
}

std::string Problem(const std::vector<Step>& steps) {
  const auto parsed = ParseTemplate(Template(steps), "t.yaml", false);
  return parsed ? "" : parsed.error().message;
}

TEST(TemplateSteps, MayStandInAnyOrder) {
  EXPECT_EQ(Problem({{"c", "[a, b]"}, {"b", "[a]"}, {"a", "[]"}}), "");
}

TEST(TemplateSteps, HaveUniqueNames) {
  EXPECT_EQ(Problem({{"a", "[]"}, {"b", "[]"}, {"a", "[]"}}),
            "t.yaml:11: step 'a' exists already, in line 5; give this one another name");
}

TEST(TemplateSteps, DependOnStepsThatExist) {
  EXPECT_EQ(Problem({{"validate", "[]"}, {"pay", "[vaildate]"}}),
            "t.yaml:8: step 'pay' depends on 'vaildate', which is no step of this template; did "
            "you mean validate?");
  EXPECT_EQ(Problem({{"a", "[]"}, {"pay", "[inventory]"}}),
            "t.yaml:8: step 'pay' depends on 'inventory', which is no step of this template; add "
            "that step, or "
            "remove the "
            "dependency");
}

TEST(TemplateSteps, CyclesAreShown) {
  EXPECT_EQ(
      Problem({{"a", "[a]"}}),
      "t.yaml:5: these steps wait for each other: a needs a; remove one of these dependencies");
  EXPECT_EQ(
      Problem({{"start", "[]"}, {"a", "[start, c]"}, {"b", "[a]"}, {"c", "[b]"}, {"end", "[c]"}}),
      "t.yaml:8: these steps wait for each other: a needs c needs b needs a; remove one of these "
      "dependencies");
}

TEST(TemplateSteps, LongCyclesAreShortened) {
  std::vector<Step> steps;
  for (int i = 0; i < 100; ++i)
    steps.push_back({"s" + std::to_string(i), "[s" + std::to_string((i + 99) % 100) + "]"});
  const std::string problem = Problem(steps);
  EXPECT_THAT(problem,
              HasSubstr("t.yaml:5: these steps wait for each other: s0 needs s99 needs s98"));
  EXPECT_THAT(problem, HasSubstr("s89 needs ... needs s0; remove one"));
  EXPECT_LT(problem.size(), 300u);
}

TEST(TemplateSteps, ADependencyNamedTwiceCountsOnce) {
  const auto parsed = ParseTemplate(Template({{"a", "[]"}, {"b", "[a, a]"}}), "t.yaml", false);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_THAT(parsed->task_template.steps[1].dependencies, ElementsAre("a"));
  ASSERT_EQ(parsed->warnings.size(), 1u);
  EXPECT_EQ(parsed->warnings[0].line, 8);
  EXPECT_EQ(parsed->warnings[0].message, "step 'b' names its dependency 'a' twice; once is enough");
}

TEST(TemplateSteps, AreLimitedInNumber) {
  TemplateLimits limits;
  limits.steps_max = 2;
  const std::string text = Template({{"a", "[]"}, {"b", "[]"}, {"c", "[]"}});
  EXPECT_EQ(ParseTemplate(text, "t.yaml", false, limits).error().message,
            "t.yaml:5: the template has 3 steps; write at most 2");
  limits.steps_max = 3;
  EXPECT_TRUE(ParseTemplate(text, "t.yaml", false, limits));
}

TEST(TemplateSteps, TenThousandInAChainAreReadQuickly) {
  std::vector<Step> steps = {{"s0", "[]"}};
  for (int i = 1; i < 10'000; ++i)
    steps.push_back({"s" + std::to_string(i), "[s" + std::to_string(i - 1) + "]"});
  const auto parsed = ParseTemplate(Template(steps), "t.yaml", false);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->task_template.steps.size(), 10'000u);
}

}  // namespace
}  // namespace tasker::workflow
