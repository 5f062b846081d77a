#include "workflow/identity.h"

#include <gtest/gtest.h>

namespace tasker::workflow {
namespace {

// Golden values, computed apart with Python's uuid.uuid5 and hashlib. Rows, logs and other systems
// hold such names: a change of any of them orphans what they name.
const Uuid kTask = *Uuid::Parse("0190a6e0-0000-7000-8000-000000000001");

TEST(StepUuid, IsTheSameForEver) {
  EXPECT_EQ(StepUuid(kTask, 0).ToString(), "6374f316-3741-5308-b579-b7a5d061aafe");
  EXPECT_EQ(StepUuid(kTask, 17).ToString(), "5cc5251e-bcc0-50db-a5ed-8ab6b1322f18");
}

TEST(CallId, IsTheSameForEver) {
  EXPECT_EQ(CallId(kTask, (std::int64_t{3} << 40) | 5).ToString(),
            "a881c449-5ec5-51be-ade1-b427f577b738");
}

TEST(NamedTaskUuid, IsTheSameForEver) {
  EXPECT_EQ(NamedTaskUuid("ns", "name", "1.0.0").ToString(),
            "7cf41f2f-5ba4-5b04-b769-a1aade676088");
}

TEST(NamedStepUuid, IsTheSameForEver) {
  EXPECT_EQ(NamedStepUuid("ns", "name", "1.0.0", "step").ToString(),
            "fe11a122-73c2-5ba2-8beb-e29abccb6bd8");
}

TEST(Identity, IsTheSameForEver) {
  EXPECT_EQ(Identity("ns", "name", "1.0.0", "order-7"),
            "73a4de2bcd849b4978a0515fbf87d44ee356015f7e94dfebff6997f0db208908");
}

TEST(Identity, TellsPartsApartWhereTheirTextsMeet) {
  EXPECT_NE(Identity("a", "bc", "1", "k"), Identity("ab", "c", "1", "k"));
  EXPECT_NE(Identity("a", "b", "1", "2k"), Identity("a", "b", "12", "k"));
  EXPECT_NE(NamedTaskUuid("a", "bc", "1"), NamedTaskUuid("ab", "c", "1"));
}

TEST(StepUuid, DiffersByTaskStepAndKind) {
  const Uuid other = *Uuid::Parse("0190a6e0-0000-7000-8000-000000000002");
  EXPECT_NE(StepUuid(kTask, 1), StepUuid(other, 1));
  EXPECT_NE(StepUuid(kTask, 1), StepUuid(kTask, 2));
  EXPECT_NE(StepUuid(kTask, 1), CallId(kTask, 1));
}

TEST(Sha256Hex, HashesAsTheStandardSays) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace tasker::workflow
