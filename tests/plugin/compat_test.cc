#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin/in_process.h"
#include "tests/support/plugin_copy.h"
#include "tests/support/plugin_host.h"
#include "tests/support/scoped_temp_dir.h"

namespace tasker::plugin {
namespace {

using tasker::testing::CopyPlugin;
using tasker::testing::In;
using tasker::testing::kSoon;
using tasker::testing::PluginHost;
using tasker::testing::Say;
using tasker::testing::ScopedTempDir;

// Plugins that were built with the header of another minor version.
class CompatTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string plugin = GetParam();
    const std::string file = CopyPlugin(plugin, dir_.path() / (plugin + ".so"));
    auto loaded = InProcess::Load(file, host_.registry, host_.calls, host_.limits, "{}");
    ASSERT_TRUE(loaded) << loaded.error().message;
    instance_ = *std::move(loaded);
  }

  bool older() const { return std::string(GetParam()) == "compat_older"; }

  ScopedTempDir dir_;
  PluginHost host_;
  std::unique_ptr<Instance> instance_;
};

TEST_P(CompatTest, ItRunsInThisHost) {
  EXPECT_EQ(Say(host_.Run(*instance_, "compat.complete", "{\"id\":7}")),
            std::string("succeeded: {\"order\":{\"id\":7},\"sees_later\":") +
                (older() ? "true" : "false") + "}");
  EXPECT_EQ(Say(host_.Run(*instance_, "compat.fail")), "failed for good, Compat: as it should");
  EXPECT_EQ(Say(host_.Run(*instance_, "compat.yield")), "yielded [2] for 5000 us");
  EXPECT_EQ(Say(host_.Run(*instance_, "compat.refuse")),
            "failed, retryable, tasker.refused: handler 'compat.refuse' of plugin compat did not "
            "start (E_BUSY): not now");
  EXPECT_EQ(host_.checkpoints().size(), 4U);
  EXPECT_TRUE(instance_->Stop(In(kSoon)));
  EXPECT_TRUE(instance_->Leaked().empty());
}

INSTANTIATE_TEST_SUITE_P(Headers, CompatTest, ::testing::Values("compat_older", "compat_newer"),
                         [](const auto& of) { return std::string(of.param); });

}  // namespace
}  // namespace tasker::plugin
