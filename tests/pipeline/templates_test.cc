#include "pipeline/templates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scoped_temp_dir.h"

namespace tasker::pipeline {
namespace {

using ::testing::HasSubstr;

std::string Yaml(const std::string& name, const std::string& version = "1.0.0",
                 const std::string& handler = "h.a") {
  return "name: " + name + "\nnamespace_name: tests\nversion: \"" + version +
         "\"\nsteps:\n  - {name: a, handler: {callable: " + handler + "}}\n";
}

class TemplatesTest : public ::testing::Test {
 protected:
  TemplateFolders Read() {
    config::Config config;
    config.templates.paths = {dir_.path().string()};
    return ReadTemplates(config);
  }

  testing::ScopedTempDir dir_;
};

TEST_F(TemplatesTest, ReadsYamlAndYmlOfAllFoldersSorted) {
  dir_.Write("b.yaml", Yaml("b"));
  dir_.Write("deep/er/a.yml", Yaml("a"));
  dir_.Write("c.txt", Yaml("c"));
  const TemplateFolders read = Read();
  ASSERT_TRUE(read.errors.empty()) << read.errors[0].message;
  ASSERT_EQ(read.files.size(), 2U);
  EXPECT_EQ(read.files[0].parsed.task_template.name, "b");
  EXPECT_EQ(read.files[1].parsed.task_template.name, "a");
  EXPECT_EQ(read.files[1].ForStore().body, Yaml("a"));
}

TEST_F(TemplatesTest, KeepsGoodFilesWhenOthersAreBad) {
  dir_.Write("bad.yaml", "name: [");
  dir_.Write("good.yaml", Yaml("good"));
  const TemplateFolders read = Read();
  ASSERT_EQ(read.errors.size(), 1U);
  EXPECT_THAT(read.errors[0].message, HasSubstr("bad.yaml:"));
  ASSERT_EQ(read.files.size(), 1U);
}

TEST_F(TemplatesTest, RefusesTwoTextsOfOneVersionAndNamesBothFiles) {
  dir_.Write("one.yaml", Yaml("x"));
  dir_.Write("two.yaml", Yaml("x", "1.0.0", "h.other"));
  dir_.Write("three.yaml", Yaml("y"));
  const TemplateFolders read = Read();
  ASSERT_EQ(read.errors.size(), 1U);
  EXPECT_THAT(read.errors[0].message, HasSubstr("one.yaml"));
  EXPECT_THAT(read.errors[0].message, HasSubstr("two.yaml"));
  EXPECT_THAT(read.errors[0].message, HasSubstr("tests/x@1.0.0"));
  ASSERT_EQ(read.files.size(), 1U);
  EXPECT_EQ(read.files[0].parsed.task_template.name, "y");
}

TEST_F(TemplatesTest, TakesTheSameTextTwiceForOne) {
  dir_.Write("one.yaml", Yaml("x"));
  dir_.Write("copy.yaml", Yaml("x"));
  const TemplateFolders read = Read();
  EXPECT_TRUE(read.errors.empty());
  EXPECT_EQ(read.files.size(), 1U);
}

TEST_F(TemplatesTest, SaysWhichFolderIsMissing) {
  config::Config config;
  config.templates.paths = {(dir_.path() / "none").string()};
  const TemplateFolders read = ReadTemplates(config);
  ASSERT_EQ(read.errors.size(), 1U);
  EXPECT_THAT(read.errors[0].message, HasSubstr("none"));
}

TEST_F(TemplatesTest, RefusesAFileBeyondTheLimit) {
  config::Config config;
  config.limits.template_max_bytes = 100;
  const auto read =
      ReadTemplate(dir_.Write("big.yaml", Yaml("big") + "#" + std::string(200, 'x')), config);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("limits.template_max_bytes = 100"));
}

TEST_F(TemplatesTest, SaysThatAFileIsNotThere) {
  const auto read = ReadTemplate((dir_.path() / "none.yaml").string(), {});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kNotFound);
}

TEST(TemplateName, ReadsItsThreeForms) {
  const auto all = TemplateName::Parse("shop/order@1.2.0");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->ns, "shop");
  EXPECT_EQ(all->name, "order");
  EXPECT_EQ(all->version, "1.2.0");
  EXPECT_EQ(all->ToString(), "shop/order@1.2.0");
  EXPECT_EQ(TemplateName::Parse("shop/order")->ToString(), "shop/order");
  EXPECT_EQ(TemplateName::Parse("order")->ToString(), "order");
}

TEST(TemplateName, RefusesWhatIsNone) {
  for (const char* const text : {"", "/", "a/", "/b", "a/b/c", "a/b@", "b@1", "@1"}) {
    const auto name = TemplateName::Parse(text);
    ASSERT_FALSE(name) << text;
    EXPECT_THAT(name.error().message, HasSubstr("NAMESPACE/NAME@VERSION"));
  }
}

const std::vector<TemplateIdentity> kKnown = {
    {"shop", "order", "1.9.0"},  {"shop", "order", "1.10.0"}, {"shop", "order", "1.10"},
    {"shop", "refund", "2.0.0"}, {"bank", "refund", "1.0.0"}, {"bank", "close", "1.0.0-rc1"}};

Result<std::size_t> ChooseNamed(const std::string& name) {
  return Choose(*TemplateName::Parse(name), kKnown);
}

TEST(Choose, TakesTheHighestVersionNumberByNumber) { EXPECT_EQ(*ChooseNamed("order"), 1U); }

TEST(Choose, TakesTheVersionThatIsNamed) {
  EXPECT_EQ(*ChooseNamed("shop/order@1.9.0"), 0U);
  EXPECT_FALSE(ChooseNamed("shop/order@3.0.0"));
}

TEST(Choose, WantsTheNamespaceWhereTwoHaveTheName) {
  const auto chosen = ChooseNamed("refund");
  ASSERT_FALSE(chosen);
  EXPECT_THAT(chosen.error().message, HasSubstr("bank/refund, shop/refund"));
  EXPECT_EQ(*ChooseNamed("bank/refund"), 4U);
}

TEST(Choose, NamesWhatIsNear) {
  const auto chosen = ChooseNamed("ordre");
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(chosen.error().message, HasSubstr("near it are: shop/order@1.10"));
}

TEST(Choose, SaysWhatToDoWhereThereIsNone) {
  const auto chosen = Choose(*TemplateName::Parse("x"), {});
  ASSERT_FALSE(chosen);
  EXPECT_THAT(chosen.error().message, HasSubstr("template folder"));
}

}  // namespace
}  // namespace tasker::pipeline
