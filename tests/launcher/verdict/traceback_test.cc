#include "launcher/verdict/traceback.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace muster::verdict {
namespace {

using Lines = std::vector<std::string>;

TEST(Traceback, IsFoundAmongOtherLines) {
  const Lines lines = {"epoch 3",
                       "Traceback (most recent call last):",
                       "  File \"train.py\", line 12, in <module>",
                       "    main()",
                       "  File \"train.py\", line 8, in main",
                       "    raise ValueError('boom')",
                       "ValueError: boom",
                       "Exception ignored in: <function f>"};
  EXPECT_EQ(find_last_traceback(lines), (Traceback{1, 6, "ValueError: boom"}));
}

TEST(Traceback, TheLastOfAChainCounts) {
  const Lines lines = {"Traceback (most recent call last):",
                       "  File \"a.py\", line 1, in f",
                       "KeyError: 'x'",
                       "",
                       "During handling of the above exception, another exception occurred:",
                       "",
                       "Traceback (most recent call last):",
                       "  File \"a.py\", line 4, in g",
                       "RuntimeError: no x"};
  EXPECT_EQ(find_last_traceback(lines), (Traceback{6, 8, "RuntimeError: no x"}));
}

TEST(Traceback, TorchsRankMarkIsTakenOff) {
  const Lines lines = {"[rank12]: Traceback (most recent call last):",
                       "[rank12]:   File \"a.py\", line 1, in <module>", "[rank12]:     f()",
                       "[rank12]: torch.OutOfMemoryError: CUDA out of memory."};
  EXPECT_EQ(find_last_traceback(lines),
            (Traceback{0, 3, "torch.OutOfMemoryError: CUDA out of memory."}));
  EXPECT_EQ(without_rank_mark("[rank]: x"), "[rank]: x");
  EXPECT_EQ(without_rank_mark("[rank3] x"), "[rank3] x");
  EXPECT_EQ(without_rank_mark("[rank3]:"), "");
}

TEST(Traceback, MayHaveScrolledOutOfTheTail) {
  EXPECT_EQ(find_last_traceback(
                Lines{"    deep()", "  File \"a.py\", line 9, in deep", "    raise E", "pkg.E"}),
            (Traceback{0, 3, "pkg.E"}));
}

TEST(Traceback, ASyntaxErrorHasNoHeader) {
  EXPECT_EQ(find_last_traceback(Lines{"  File \"a.py\", line 2", "    def", "       ^",
                                      "SyntaxError: invalid syntax"}),
            (Traceback{0, 3, "SyntaxError: invalid syntax"}));
}

TEST(Traceback, FaulthandlersStackIsNoException) {
  EXPECT_FALSE(find_last_traceback(
      Lines{"Fatal Python error: Segmentation fault", "",
            "Current thread 0x1 (most recent call first):", "  File \"a.py\", line 3 in f",
            "  File \"a.py\", line 9 in <module>", "", "Extension modules: numpy (total: 1)"}));
}

TEST(Traceback, IsNotFoundWhereItsEndIsMissingOrNoException) {
  EXPECT_FALSE(find_last_traceback(Lines{}));
  EXPECT_FALSE(find_last_traceback(
      Lines{"Traceback (most recent call last):", "  File \"a.py\", line 1, in f", "    x()"}));
  EXPECT_FALSE(find_last_traceback(
      Lines{"  File \"a.py\", line 1, in f", "some warning (with text) follows"}));
}

TEST(Traceback, AnyLinesGivePlacesInside) {
  const Lines vocabulary = {"",
                            "  File \"a\", line 1, in f",
                            "Traceback (most recent call last):",
                            "E: x",
                            "    x",
                            "[rank1]: E",
                            "  File \"",
                            "[rank1]:",
                            "\xff"};
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    Lines lines(random() % 8);
    for (std::string& line : lines) line = vocabulary[random() % vocabulary.size()];
    const auto found = find_last_traceback(lines);
    if (!found) continue;
    ASSERT_LT(found->first, found->last);
    ASSERT_LT(found->last, lines.size());
    ASSERT_FALSE(found->final_line.empty());
  }
}

}  // namespace
}  // namespace muster::verdict
