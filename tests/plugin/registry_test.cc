#include "plugin/registry.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace tasker::plugin {
namespace {

// An instance that is only a name and a file.
class NamedInstance final : public Instance {
 public:
  NamedInstance(std::string name, std::string file)
      : name_(std::move(name)), file_(std::move(file)) {}

  const std::string& name() const override { return name_; }
  const std::string& version() const override { return version_; }
  const std::string& file() const override { return file_; }
  void Start(std::string_view, std::unique_ptr<StepInput>) override {}
  void Cancel(std::int64_t, CancelReason) override {}
  void Want(std::string, std::string, std::string) override {}
  std::uint32_t Capacity(std::uint32_t) const override { return 0; }
  std::vector<Running> RunningCalls() const override { return {}; }
  Status Stop(Steady) override { return Ok(); }
  Ledger Leaked() const override { return {}; }

 private:
  const std::string name_, version_, file_;
};

HandlerInfo Handler(std::string id) {
  HandlerInfo info;
  info.id = std::move(id);
  return info;
}

class HandlerRegistryTest : public ::testing::Test {
 protected:
  NamedInstance billing_{"billing", "/p/billing.so"};
  NamedInstance copy_{"billing_copy", "/q/copy.so"};
  HandlerRegistry registry_;
};

TEST_F(HandlerRegistryTest, ADuplicateIdNamesBothFilesAndChangesNothing) {
  ASSERT_TRUE(registry_.Add(billing_, {Handler("charge")}));
  const auto version = registry_.version();
  const Status added = registry_.Add(copy_, {Handler("refund"), Handler("charge")});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, ErrorCode::kConflict);
  EXPECT_EQ(added.error().message,
            "handler 'charge' of plugin billing_copy (/q/copy.so) is already registered by plugin "
            "billing "
            "(/p/billing.so)");
  EXPECT_FALSE(registry_.Find("refund").has_value());
  EXPECT_EQ(registry_.version(), version);
}

TEST_F(HandlerRegistryTest, ADuplicateWithinOnePluginIsRefused) {
  EXPECT_FALSE(registry_.Add(billing_, {Handler("charge"), Handler("charge")}));
  EXPECT_TRUE(registry_.List().empty());
}

TEST_F(HandlerRegistryTest, CheckSaysWhatAddWouldAndAddsNothing) {
  EXPECT_TRUE(registry_.Check(billing_, {Handler("charge")}));
  EXPECT_TRUE(registry_.List().empty());
  ASSERT_TRUE(registry_.Add(billing_, {Handler("charge")}));
  EXPECT_FALSE(registry_.Check(copy_, {Handler("charge")}));
}

TEST_F(HandlerRegistryTest, OnlyTheOwnerRemovesAHandler) {
  ASSERT_TRUE(registry_.Add(billing_, {Handler("charge")}));
  EXPECT_FALSE(registry_.Remove(copy_, "charge"));
  EXPECT_TRUE(registry_.Remove(billing_, "charge"));
  EXPECT_FALSE(registry_.Remove(billing_, "charge"));
}

TEST_F(HandlerRegistryTest, RemoveAllLeavesTheOthers) {
  ASSERT_TRUE(registry_.Add(billing_, {Handler("charge"), Handler("refund")}));
  ASSERT_TRUE(registry_.Add(copy_, {Handler("other")}));
  registry_.RemoveAll(billing_);
  ASSERT_EQ(registry_.List().size(), 1U);
  EXPECT_EQ(registry_.List()[0].info.id, "other");
}

TEST_F(HandlerRegistryTest, TheVersionGrowsWithEachChangeOnly) {
  const auto first = registry_.version();
  ASSERT_TRUE(registry_.Add(billing_, {}));
  EXPECT_EQ(registry_.version(), first);
  ASSERT_TRUE(registry_.Add(billing_, {Handler("charge")}));
  EXPECT_GT(registry_.version(), first);
  const auto second = registry_.version();
  registry_.RemoveAll(copy_);
  EXPECT_EQ(registry_.version(), second);
}

TEST_F(HandlerRegistryTest, TheSameIdUnderAnotherResolverIsAnotherHandler) {
  HandlerInfo resolved = Handler("charge");
  resolved.resolver = "dotted";
  ASSERT_TRUE(registry_.Add(billing_, {Handler("charge")}));
  ASSERT_TRUE(registry_.Add(copy_, {resolved}));
  EXPECT_EQ(registry_.Find(HandlerKey("charge", ""))->instance, &billing_);
  EXPECT_EQ(registry_.Find(HandlerKey("charge", "dotted"))->instance, &copy_);
  EXPECT_FALSE(registry_.Find(HandlerKey("charge", "other")).has_value());
}

}  // namespace
}  // namespace tasker::plugin
