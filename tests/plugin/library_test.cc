#include "plugin/library.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin/in_process.h"
#include "tests/support/plugin_copy.h"
#include "tests/support/plugin_host.h"
#include "tests/support/scoped_temp_dir.h"

namespace tasker::plugin {
namespace {

namespace fs = std::filesystem;
using tasker::testing::CopyPlugin;
using tasker::testing::In;
using tasker::testing::kSoon;
using tasker::testing::PluginHost;
using tasker::testing::Say;
using tasker::testing::ScopedTempDir;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class LibraryTest : public ::testing::Test {
 protected:
  std::string Copy(const std::string& name) {
    return CopyPlugin(name, dir_.path() / (fs::path(name).filename().string() + ".so"));
  }
  std::string ErrorOf(const std::string& file) {
    auto loaded = InProcess::Load(file, host_.registry, host_.calls, host_.limits, "{}");
    EXPECT_TRUE(host_.registry.List().empty() || loaded);
    return loaded ? "it loaded" : loaded.error().message;
  }
  void Load(const std::string& name) {
    auto loaded = InProcess::Load(Copy(name), host_.registry, host_.calls, host_.limits, "{}");
    ASSERT_TRUE(loaded) << loaded.error().message;
    instance_ = *std::move(loaded);
  }
  const tasker_status* Answers() {
    const auto library = Library::Open(instance_->file());
    return static_cast<const tasker_status*>(
        (*library)->entry().table.extension(nullptr, "zoo.answers/1"));
  }

  ScopedTempDir dir_;
  PluginHost host_;
  std::unique_ptr<Instance> instance_;
};

TEST_F(LibraryTest, APluginInCppRuns) {
  Load("hello_cpp");
  EXPECT_EQ(instance_->name(), "hello_cpp");
  EXPECT_EQ(instance_->file(), (dir_.path() / "hello_cpp.so").string());
  EXPECT_EQ(Say(host_.Run(*instance_, "hello.greet", "{\"a\":1}")),
            "succeeded: {\"echo\":{\"a\":1}}");
  EXPECT_TRUE(instance_->Stop(In(kSoon)));
}

TEST_F(LibraryTest, APluginInCRunsAndStartsAgainInTheSameProcess) {
  const std::string file = Copy("hello_c");
  for (int i = 0; i < 2; ++i) {
    auto loaded = InProcess::Load(file, host_.registry, host_.calls, host_.limits, "{}");
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(Say(host_.Run(**loaded, "hello.c_greet", "[1]")), "succeeded: [1]");
    EXPECT_TRUE((*loaded)->Stop(In(kSoon)));
  }
}

TEST_F(LibraryTest, AFileWithoutTheEntryIsNoPlugin) {
  EXPECT_THAT(ErrorOf(Copy("zoo/zoo_no_entry")),
              HasSubstr("it exports no tasker_plugin_v1, so it is no Tasker plugin"));
}

TEST_F(LibraryTest, AnotherMajorVersionIsNamed) {
  EXPECT_THAT(ErrorOf(Copy("zoo/zoo_other_major")),
              HasSubstr("it is made for plugin ABI 2, this host has plugin ABI 1"));
}

TEST_F(LibraryTest, ABrokenTableIsRefusedWithItsDefect) {
  EXPECT_THAT(ErrorOf(Copy("zoo/zoo_null_table")), HasSubstr("tasker_plugin_v1() returned NULL"));
  EXPECT_THAT(ErrorOf(Copy("zoo/zoo_size_zero")), HasSubstr("its table says size 0"));
  EXPECT_THAT(ErrorOf(Copy("zoo/zoo_newer_host")),
              HasSubstr("it needs a host with plugin ABI 1.99"));
  EXPECT_THAT(ErrorOf(Copy("zoo/zoo_bad_name")), HasSubstr("its name 'Zoo Plugin' is not legal"));
  EXPECT_THAT(ErrorOf(Copy("zoo/zoo_no_init")), HasSubstr("its table has no init"));
}

TEST_F(LibraryTest, ATableLargerThanKnownIsFine) {
  Load("zoo/zoo_size_huge");
  EXPECT_EQ(instance_->name(), "zoo");
  EXPECT_TRUE(instance_->Stop(In(kSoon)));
}

TEST_F(LibraryTest, AnErrorBeginsWithTheFile) {
  const std::string file = Copy("zoo/zoo_size_zero");
  EXPECT_THAT(ErrorOf(file), StartsWith("plugin " + file + ": "));
}

TEST_F(LibraryTest, ARefusedFileIsRefusedAgain) {
  const std::string file = Copy("zoo/zoo_size_zero");
  EXPECT_EQ(ErrorOf(file), ErrorOf(file));
}

TEST_F(LibraryTest, AnInitThatFailsAfterRegistrationsLeavesNone) {
  EXPECT_THAT(ErrorOf(Copy("zoo/zoo_init_fails")),
              HasSubstr("its init failed (E_INTERNAL): the card reader is not plugged in"));
  EXPECT_TRUE(host_.registry.List().empty());
}

TEST_F(LibraryTest, DuplicateIdsWithinAPluginRefuseIt) {
  EXPECT_THAT(ErrorOf(Copy("zoo/zoo_duplicate_ids")),
              HasSubstr("handler 'zoo.first' is registered twice by plugin"));
  EXPECT_TRUE(host_.registry.List().empty());
}

TEST_F(LibraryTest, ATextFileIsNoLibrary) {
  EXPECT_THAT(ErrorOf(dir_.Write("text.so", "#!/bin/sh\n")), HasSubstr("it is no ELF library"));
  EXPECT_THAT(ErrorOf(dir_.Write("empty.so", "")), HasSubstr("it is no ELF library"));
}

TEST_F(LibraryTest, ACutLibraryIsRefused) {
  const std::string file = Copy("hello_c");
  fs::resize_file(file, 600);
  EXPECT_THAT(ErrorOf(file), StartsWith("plugin " + file + ": it"));
  EXPECT_NE(ErrorOf(file), "it loaded");
}

TEST_F(LibraryTest, AMissingFileAndAFolderAreRefused) {
  EXPECT_THAT(ErrorOf((dir_.path() / "none.so").string()), HasSubstr("it cannot be found"));
  fs::create_directory(dir_.path() / "folder.so");
  EXPECT_THAT(ErrorOf((dir_.path() / "folder.so").string()), HasSubstr("it is no file"));
}

TEST_F(LibraryTest, AFileThatOthersMayWriteIsRefused) {
  const std::string file = Copy("hello_cpp");
  fs::permissions(file, fs::perms(0666));
  EXPECT_THAT(ErrorOf(file), HasSubstr("the file " + file +
                                       " is writable by others than its owner; run chmod go-w"));
}

TEST_F(LibraryTest, AFolderThatOthersMayWriteIsRefused) {
  const std::string file = Copy("hello_cpp");
  fs::permissions(dir_.path(), fs::perms(0777));
  EXPECT_THAT(ErrorOf(file),
              HasSubstr("the folder " + dir_.path().string() + " is writable by others"));
  fs::permissions(dir_.path(), fs::perms(0700));
}

TEST_F(LibraryTest, AFileThatChangedSinceItWasLoadedIsReported) {
  const std::string file = Copy("hello_c");
  ASSERT_TRUE(Library::Open(file));
  fs::rename(Copy("hello_cpp"), file);
  const auto again = Library::Open(file);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message,
              HasSubstr("it changed since it was loaded; restart to load the new one"));
}

TEST_F(LibraryTest, ALibraryIsOneWhateverPathNamesIt) {
  const std::string file = Copy("hello_c");
  const std::string link = (dir_.path() / "link.so").string();
  fs::create_symlink(file, link);
  EXPECT_EQ(*Library::Open(link), *Library::Open(file));
}

TEST_F(LibraryTest, TheEndsOfAnAttemptAreTakenOnce) {
  Load("zoo/zoo_ends");
  EXPECT_EQ(Say(host_.Run(*instance_, "ends.twice")), "succeeded: \"first\"");
  EXPECT_EQ(Answers()[0], TASKER_OK);
  EXPECT_EQ(Answers()[1], TASKER_E_STALE);
  EXPECT_EQ(Say(host_.Run(*instance_, "ends.after_release")), "succeeded: 1");
  EXPECT_EQ(Answers()[0], TASKER_OK);
  EXPECT_EQ(Answers()[1], TASKER_E_STALE);
  EXPECT_EQ(Say(host_.Run(*instance_, "ends.from_thread")), "succeeded: \"from a thread\"");
  EXPECT_THAT(Say(host_.Run(*instance_, "ends.never")),
              StartsWith("failed, retryable, tasker.dropped"));
  EXPECT_EQ(host_.ended().size(), 4U);
  EXPECT_TRUE(instance_->Stop(In(kSoon)));
}

TEST_F(LibraryTest, ABadResultFailsForGoodAndNamesTheHandler) {
  host_.limits.result_max_bytes = 1000;
  Load("zoo/zoo_ends");
  EXPECT_THAT(
      Say(host_.Run(*instance_, "ends.no_json")),
      StartsWith(
          "failed for good, InvalidResult: the result of handler 'ends.no_json' is no JSON"));
  EXPECT_THAT(Say(host_.Run(*instance_, "ends.too_large")),
              StartsWith("failed for good, ResultTooLarge: the result of handler 'ends.too_large' "
                         "has 8191 bytes"));
  EXPECT_EQ(Answers()[0], TASKER_OK);
  EXPECT_TRUE(instance_->Stop(In(kSoon)));
}

TEST_F(LibraryTest, AStartThatIsRefusedFailsRetryable) {
  Load("zoo/zoo_ends");
  EXPECT_EQ(Say(host_.Run(*instance_, "ends.refuses")),
            "failed, retryable, tasker.refused: handler 'ends.refuses' of plugin zoo_ends did not "
            "start (E_BUSY): the "
            "queue is full");
  EXPECT_TRUE(instance_->Stop(In(kSoon)));
}

TEST_F(LibraryTest, TheTrampolinesCatchEverything) {
  Load("zoo/zoo_throws");
  EXPECT_EQ(Say(host_.Run(*instance_, "throws.permanent")),
            "failed for good, PermanentError: no such customer");
  EXPECT_EQ(Say(host_.Run(*instance_, "throws.other")), "failed, retryable, Exception: index 7");
  EXPECT_THAT(Say(host_.Run(*instance_, "throws.no_exception")),
              StartsWith("failed, retryable, Exception:"));
  EXPECT_TRUE(instance_->Stop(In(kSoon)));
}

TEST_F(LibraryTest, ADrainThatDoesNotReturnIsNamedAndRefusedUntilItDoes) {
  Load("zoo/zoo_drain");
  const std::string file = instance_->file();
  const auto library = Library::Open(file);
  const auto open_gate =
      *static_cast<void (*const*)()>((*library)->entry().table.extension(nullptr, "zoo.gate/1"));
  const Status stopped = instance_->Stop(In(std::chrono::milliseconds(10)));
  ASSERT_FALSE(stopped);
  EXPECT_THAT(stopped.error().message, HasSubstr("its drain has not returned"));
  instance_.reset();
  EXPECT_THAT(ErrorOf(file), HasSubstr("calls of its last instance have not returned"));
  open_gate();
}

}  // namespace
}  // namespace tasker::plugin
