#include "cli/style.h"

#include <gtest/gtest.h>

#include <string>

#include "cli/terminal.h"

namespace tasker::cli {
namespace {

const Style kUtf8{.utf8 = true};
const Style kAscii{};

TEST(Style, MakesControlCharactersBlank) {
  EXPECT_EQ(Printable(kUtf8, "a\x1b[2Jb\nc\td\x7f"), "a [2Jb c d ");
  EXPECT_EQ(Printable(kUtf8,
                      "a\xc2\x9b"
                      "2J"),
            "a 2J");  // CSI as one character
}

TEST(Style, KeepsUtf8WhereItCanBeShown) {
  EXPECT_EQ(Printable(kUtf8, "größe → 𝄞"), "größe → 𝄞");
  EXPECT_EQ(Printable(kAscii, "größe"), "gr??e");
}

TEST(Style, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(Printable(kUtf8,
                      "a\xff"
                      "b\xc3"),
            "a?b?");
  EXPECT_EQ(Printable(kUtf8, "\xe2\x82"), "??");
}

TEST(Style, CutsAtCharacters) {
  EXPECT_EQ(Fit(kUtf8, "größe", 5), "größe");
  EXPECT_EQ(Fit(kUtf8, "größer", 5), "größ…");
  EXPECT_EQ(Fit(kAscii, "abcdefgh", 6), "abc...");
  EXPECT_EQ(Fit(kAscii, "abcdefgh", 2), "..");
}

TEST(Style, PaintsOnlyWhereThereAreColours) {
  EXPECT_EQ(Paint(kAscii, Colour::kRed, "x"), "x");
  EXPECT_EQ(Paint(Style{.colour = true}, Colour::kRed, "x"), "\x1b[31mx\x1b[0m");
}

TEST(Terminal, TakesUtf8FromTheLocale) {
  EXPECT_TRUE(IsUtf8({{"LANG", "de_DE.UTF-8"}}));
  EXPECT_TRUE(IsUtf8({{"LANG", "C"}, {"LC_ALL", "C.utf8"}}));
  EXPECT_FALSE(IsUtf8({{"LANG", "C.UTF-8"}, {"LC_ALL", "POSIX"}}));
  EXPECT_TRUE(IsUtf8({{"LANG", "C.UTF-8"}, {"LC_ALL", ""}}));
  EXPECT_FALSE(IsUtf8({}));
}

}  // namespace
}  // namespace tasker::cli
