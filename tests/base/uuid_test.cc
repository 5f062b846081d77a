#include "base/uuid.h"

#include <gtest/gtest.h>

#include <set>

namespace tasker {
namespace {

TEST(Uuid, ReadsBackWhatItPrints) {
  const Uuid uuid = Uuid::New();
  EXPECT_EQ(Uuid::Parse(uuid.ToString()), uuid);
  EXPECT_EQ(Uuid::Parse("0190A5F0-1234-7abc-8def-0123456789AB")->ToString(),
            "0190a5f0-1234-7abc-8def-0123456789ab");
}

TEST(Uuid, RefusesWhatIsNoUuid) {
  for (const char* text :
       {"", "0190a5f0", "0190a5f0-1234-7abc-8def-0123456789a",
        "0190a5f0-1234-7abc-8def-0123456789abc", "0190a5f0x1234-7abc-8def-0123456789ab",
        "g190a5f0-1234-7abc-8def-0123456789ab"}) {
    EXPECT_FALSE(Uuid::Parse(text)) << text;
  }
}

TEST(Uuid, MakesDistinctVersion7) {
  std::set<Uuid> seen;
  for (int i = 0; i < 1000; ++i) {
    const Uuid uuid = Uuid::New();
    EXPECT_EQ(uuid.bytes[6] >> 4, 7);
    EXPECT_EQ(uuid.bytes[8] >> 6, 2);
    EXPECT_TRUE(seen.insert(uuid).second);
  }
}

}  // namespace
}  // namespace tasker
