#include "plugin/abi.h"

#include <string>

#include <gtest/gtest.h>

#include "plugin/text.h"

namespace tasker::plugin {
namespace {

tasker_bytes Borrowed(std::string_view text) {
  return {text.data(), text.size(), nullptr, nullptr};
}

// Bytes whose release is counted in *owner.
tasker_bytes Counted(std::string_view text, int& releases) {
  const auto release = [](tasker_bytes* self) {
    ++*static_cast<int*>(self->owner);
    self->release = nullptr;
  };
  return {text.data(), text.size(), release, &releases};
}

tasker_status NoInit(const tasker_host*, tasker_plugin*, tasker_bytes, void**, tasker_error*) {
  return TASKER_OK;
}

tasker_plugin_entry GoodEntry() {
  tasker_plugin_entry entry{};
  entry.size = sizeof entry;
  entry.name = {"good", 4};
  entry.version = {"1.2", 3};
  entry.init = &NoInit;
  return entry;
}

workflow::Failed FailedOf(const std::optional<workflow::Outcome>& outcome) {
  if (outcome && std::holds_alternative<workflow::Failed>(*outcome))
    return std::get<workflow::Failed>(*outcome);
  ADD_FAILURE() << "it did not fail";
  return {};
}

TEST(ReadEntry, CopiesNameAndVersion) {
  const tasker_plugin_entry entry = GoodEntry();
  const auto read = ReadEntry(&entry, "/p.so");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->name, "good");
  EXPECT_EQ(read->version, "1.2");
  EXPECT_EQ(read->table.name.data, nullptr);
  EXPECT_EQ(read->identity, &entry);
}

TEST(ReadEntry, ReadsNoFurtherThanTheSizeSays) {
  tasker_plugin_entry entry = GoodEntry();
  entry.size = 87;
  const auto shorter = ReadEntry(&entry, "/p.so");
  ASSERT_FALSE(shorter);
  EXPECT_NE(shorter.error().message.find("plugin /p.so: its table says size 87"),
            std::string::npos);
  entry.size = 4096;
  EXPECT_TRUE(ReadEntry(&entry, "/p.so"));
}

TEST(ReadEntry, RefusesANameThatIsNotLegal) {
  for (const std::string& name :
       {std::string(), std::string("Upper"), std::string("a/b"), std::string(129, 'a')}) {
    tasker_plugin_entry entry = GoodEntry();
    entry.name = {name.data(), name.size()};
    EXPECT_FALSE(ReadEntry(&entry, "/p.so")) << name;
  }
}

TEST(TakeSuccess, EmptyTextsAreTheDefaults) {
  tasker_success success{};
  success.size = sizeof success;
  const auto outcome = TakeSuccess(&success, "h", Limits{});
  ASSERT_TRUE(outcome);
  const auto& taken = std::get<workflow::Succeeded>(*outcome);
  EXPECT_EQ(taken.result, "null");
  EXPECT_EQ(taken.metadata, "");
  EXPECT_EQ(taken.events, "");
}

TEST(TakeSuccess, ReleasesWhatIsMovedOnceOnEveryPath) {
  for (const std::string_view result : {"{\"a\":1}", "no json"}) {
    int releases = 0;
    tasker_success success{};
    success.size = sizeof success;
    success.result = Counted(result, releases);
    success.metadata = Counted("{}", releases);
    success.events = Counted("[]", releases);
    ASSERT_TRUE(TakeSuccess(&success, "h", Limits{}));
    EXPECT_EQ(releases, 3) << result;
    EXPECT_EQ(success.result.release, nullptr);
  }
}

TEST(TakeSuccess, ReleasesOnlyWhatAShortStructHas) {
  int releases = 0;
  tasker_success success{};
  success.size = offsetof(tasker_success, metadata);
  success.result = Counted("1", releases);
  success.metadata = Counted("{}", releases);
  EXPECT_FALSE(TakeSuccess(&success, "h", Limits{}));
  EXPECT_EQ(releases, 1);
  EXPECT_FALSE(TakeSuccess(nullptr, "h", Limits{}));
}

TEST(TakeSuccess, AResultThatIsNoJsonFailsForGoodAndNamesTheHandler) {
  tasker_success success{};
  success.size = sizeof success;
  success.result = Borrowed("{\"total\": ");
  const workflow::Failed failed = FailedOf(TakeSuccess(&success, "billing.charge", Limits{}));
  EXPECT_FALSE(failed.retryable);
  EXPECT_EQ(failed.type, "InvalidResult");
  EXPECT_NE(failed.message.find("the result of handler 'billing.charge' is no JSON"),
            std::string::npos)
      << failed.message;
}

TEST(TakeSuccess, MetadataIsAnObjectAndEventsAreAList) {
  tasker_success success{};
  success.size = sizeof success;
  success.metadata = Borrowed(" [1]");
  EXPECT_EQ(FailedOf(TakeSuccess(&success, "h", Limits{})).message,
            "the metadata of handler 'h' is no JSON object");
  success.metadata = {};
  success.events = Borrowed("{}");
  EXPECT_EQ(FailedOf(TakeSuccess(&success, "h", Limits{})).message,
            "the list of events of handler 'h' is no JSON array");
}

TEST(TakeSuccess, AResultAtTheLimitPassesAndOneByteMoreFailsForGood) {
  Limits limits;
  limits.result_max_bytes = 4;
  tasker_success success{};
  success.size = sizeof success;
  success.result = Borrowed("1234");
  ASSERT_TRUE(std::holds_alternative<workflow::Succeeded>(*TakeSuccess(&success, "h", limits)));
  success.result = Borrowed("12345");
  const workflow::Failed failed = FailedOf(TakeSuccess(&success, "h", limits));
  EXPECT_EQ(failed.type, "ResultTooLarge");
  EXPECT_FALSE(failed.retryable);
}

TEST(TakeFailure, KeepsWhatTheHandlerSaid) {
  tasker_failure failure{};
  failure.size = sizeof failure;
  failure.retryable = 1;
  failure.type = {"T", 1};
  failure.message = {"bad \xff byte", 10};
  failure.http_status = 503;
  failure.context = Borrowed("{\"a\":1}");
  failure.retry_after_ns = 1'500'000;
  const workflow::Failed failed = FailedOf(TakeFailure(&failure, Limits{}));
  EXPECT_TRUE(failed.retryable);
  EXPECT_EQ(failed.type, "T");
  EXPECT_EQ(failed.message, "bad \xef\xbf\xbd byte");
  EXPECT_EQ(failed.http_status, 503);
  EXPECT_EQ(failed.context, "{\"a\":1}");
  EXPECT_EQ(failed.retry_after, std::chrono::microseconds(1500));
}

TEST(TakeFailure, RetryAfterIsAnHourAtMost) {
  tasker_failure failure{};
  failure.size = sizeof failure;
  failure.retry_after_ns = INT64_MAX;
  EXPECT_EQ(FailedOf(TakeFailure(&failure, Limits{})).retry_after, std::chrono::hours(1));
  failure.retry_after_ns = -1;
  EXPECT_EQ(FailedOf(TakeFailure(&failure, Limits{})).retry_after, std::nullopt);
}

TEST(TakeFailure, AContextThatIsNoObjectIsLeftOutWithANotice) {
  tasker_failure failure{};
  failure.size = sizeof failure;
  failure.message = {"m", 1};
  failure.context = Borrowed("[1]");
  const workflow::Failed failed = FailedOf(TakeFailure(&failure, Limits{}));
  EXPECT_EQ(failed.context, "");
  EXPECT_EQ(failed.message, "m [context left out: it is no JSON object]");
}

TEST(TakeFailure, AStructInConstantMemoryIsNotWrittenTo) {
  static const tasker_failure failure = {sizeof failure, 1, {}, {"T", 1}, {}, {}, {}, 0, {}, {}, 0};
  EXPECT_EQ(FailedOf(TakeFailure(const_cast<tasker_failure*>(&failure), Limits{})).type, "T");
}

TEST(TakeYield, AnEmptyCheckpointKeepsTheLastOne) {
  const auto outcome = TakeYield(nullptr, 2'000, "h", Limits{});
  const auto& yielded = std::get<workflow::Yielded>(outcome);
  EXPECT_EQ(yielded.checkpoint, std::nullopt);
  EXPECT_EQ(yielded.resume_after, std::chrono::microseconds(2));
}

TEST(TakeYield, ACheckpointThatIsNoJsonFailsForGood) {
  tasker_bytes state = Borrowed("{");
  const workflow::Failed failed = FailedOf(TakeYield(&state, 0, "h", Limits{}));
  EXPECT_EQ(failed.type, "InvalidCheckpoint");
  EXPECT_FALSE(failed.retryable);
}

TEST(TakeCheckpoint, RefusesNothingNoJsonAndTooMuch) {
  Limits limits;
  limits.checkpoint_max_bytes = 4;
  int releases = 0;
  tasker_bytes state = Counted("12345", releases);
  EXPECT_FALSE(TakeCheckpoint(&state, "h", limits));
  EXPECT_EQ(releases, 1);
  state = Borrowed("");
  EXPECT_FALSE(TakeCheckpoint(&state, "h", limits));
  EXPECT_FALSE(TakeCheckpoint(nullptr, "h", limits));
  state = Borrowed("1234");
  EXPECT_EQ(*TakeCheckpoint(&state, "h", limits), "1234");
}

TEST(CheckJsonText, TakesOneValueWithinTheDepth) {
  EXPECT_TRUE(CheckJsonText("[[1]]", 2));
  EXPECT_FALSE(CheckJsonText("[[[1]]]", 2));
  EXPECT_TRUE(CheckJsonText(" \"a\" ", 2));
  for (const std::string_view bad : {"", " ", "1 2", "{\"a\":}", "nul", "\"\xff\"", "[1,]"}) {
    EXPECT_FALSE(CheckJsonText(bad, 2)) << bad;
  }
}

TEST(CleanText, CutsBetweenCharactersAndSaysSo) {
  EXPECT_EQ(CleanText("\xc3\xa9\xc3\xa9", 4), "\xc3\xa9\xc3\xa9");
  EXPECT_EQ(CleanText("\xc3\xa9\xc3\xa9", 3), "\xc3\xa9... [cut: 4 bytes, the limit is 3]");
}

TEST(ViewStep, BorrowsFromTheInput) {
  StepInput input;
  input.handler = "h";
  input.context = "{}";
  input.config.shared = std::make_shared<const std::string>("{\"k\":1}");
  input.deadline = Steady(std::chrono::nanoseconds(77));
  const tasker_step step = ViewStep(input);
  EXPECT_EQ(step.size, sizeof(tasker_step));
  EXPECT_EQ(step.handler.data, input.handler.data());
  EXPECT_EQ(View(step.config), "{\"k\":1}");
  EXPECT_EQ(step.deadline_ns, 77);
}

}  // namespace
}  // namespace tasker::plugin
