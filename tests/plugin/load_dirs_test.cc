#include "plugin/load_dirs.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
using tasker::testing::ScopedTempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LoadDirsTest : public ::testing::Test {
 protected:
  std::string Copy(const std::string& plugin, const std::string& to) {
    return CopyPlugin(plugin, dir_.path() / to);
  }
  LoadedPlugins Load(const std::vector<std::string>& dirs) {
    std::vector<std::string> paths;
    for (const std::string& dir : dirs) paths.push_back((dir_.path() / dir).string());
    return LoadDirs(paths, {}, host_.registry, host_.calls, host_.limits);
  }
  static std::vector<std::string> Files(const LoadedPlugins& loaded) {
    std::vector<std::string> files;
    for (const auto& instance : loaded.instances)
      files.push_back(fs::path(instance->file()).filename().string());
    return files;
  }
  static void Stop(LoadedPlugins& loaded) {
    for (auto& instance : loaded.instances) EXPECT_TRUE(instance->Stop(In(kSoon)));
  }

  ScopedTempDir dir_;
  PluginHost host_;
};

TEST_F(LoadDirsTest, LoadsByNameAndPassesOverWhatIsNoLibrary) {
  Copy("hello_cpp", "p/b.so");
  Copy("hello_c", "p/a.so");
  dir_.Write("p/readme.txt", "no plugin");
  LoadedPlugins loaded = Load({"missing", "p"});
  EXPECT_THAT(Files(loaded), ElementsAre("a.so", "b.so"));
  EXPECT_TRUE(loaded.errors.empty());
  Stop(loaded);
}

TEST_F(LoadDirsTest, ABrokenPluginIsOneErrorAndTheOthersLoad) {
  Copy("hello_c", "p/good.so");
  Copy("zoo/zoo_init_fails", "p/fails.so");
  dir_.Write("p/text.so", "text");
  LoadedPlugins loaded = Load({"p"});
  EXPECT_THAT(Files(loaded), ElementsAre("good.so"));
  ASSERT_EQ(loaded.errors.size(), 2U);
  EXPECT_THAT(loaded.errors[0].message, HasSubstr("fails.so: its init failed"));
  EXPECT_THAT(loaded.errors[1].message, HasSubstr("text.so: it is no ELF library"));
  Stop(loaded);
}

TEST_F(LoadDirsTest, ADuplicateHandlerNamesBothFiles) {
  const std::string first = Copy("hello_c", "p/first.so");
  const std::string second = Copy("hello_c", "q/second.so");
  LoadedPlugins loaded = Load({"p", "q"});
  EXPECT_THAT(Files(loaded), ElementsAre("first.so"));
  ASSERT_EQ(loaded.errors.size(), 1U);
  EXPECT_THAT(loaded.errors[0].message, HasSubstr(first));
  EXPECT_THAT(loaded.errors[0].message, HasSubstr(second));
  EXPECT_EQ(host_.registry.List().size(), 1U);
  Stop(loaded);
}

TEST_F(LoadDirsTest, AFileThatTwoFoldersNameIsLoadedOnce) {
  const std::string file = Copy("hello_c", "p/hello.so");
  fs::create_directory(dir_.path() / "q");
  fs::create_symlink(file, dir_.path() / "q" / "hello.so");
  LoadedPlugins loaded = Load({"p", "q", "p"});
  EXPECT_EQ(loaded.instances.size(), 1U);
  EXPECT_TRUE(loaded.errors.empty());
  Stop(loaded);
}

TEST_F(LoadDirsTest, AFolderThatIsAFileIsAnError) {
  dir_.Write("file", "");
  const LoadedPlugins loaded = Load({"file"});
  ASSERT_EQ(loaded.errors.size(), 1U);
  EXPECT_THAT(loaded.errors[0].message, HasSubstr("it cannot be read"));
}

}  // namespace
}  // namespace tasker::plugin
