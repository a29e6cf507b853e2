#include "slurm/hostlist.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace muster::slurm {
namespace {

using Names = std::vector<std::string>;

Names expand(std::string_view list) {
  const auto names = expand_hostlist(list);
  EXPECT_TRUE(names.has_value()) << (names ? "" : names.error().message());
  return names.value_or(Names{});
}

std::string refusal(std::string_view list) {
  const auto names = expand_hostlist(list);
  EXPECT_FALSE(names.has_value()) << list;
  return names ? "" : names.error().message();
}

TEST(Hostlist, GivesAPlainNameBack) {
  EXPECT_EQ(expand("node7"), Names{"node7"});
}

TEST(Hostlist, ExpandsARange) {
  EXPECT_EQ(expand("n[1-3]"), (Names{"n1", "n2", "n3"}));
}

TEST(Hostlist, ExpandsNumbersAndRangesOfOneBracket) {
  EXPECT_EQ(expand("n[7,1-2]"), (Names{"n7", "n1", "n2"}));
}

TEST(Hostlist, KeepsLeadingZeros) {
  EXPECT_EQ(expand("n[08-11]"), (Names{"n08", "n09", "n10", "n11"}));
  EXPECT_EQ(expand("n[098-101]"), (Names{"n098", "n099", "n100", "n101"}));
  EXPECT_EQ(expand("n[000]"), Names{"n000"});
}

TEST(Hostlist, PadsToTheLowNumberOnly) {
  EXPECT_EQ(expand("n[1-010]").size(), 10u);
  EXPECT_EQ(expand("n[1-002]"), (Names{"n1", "n2"}));
  EXPECT_EQ(expand("n[009-10]"), (Names{"n009", "n010"}));
}

TEST(Hostlist, KeepsEachRangesOwnWidth) {
  EXPECT_EQ(expand("n[01,003,2-3]"), (Names{"n01", "n003", "n2", "n3"}));
}

TEST(Hostlist, RunsTheLastOfTwoBracketsFastest) {
  EXPECT_EQ(expand("r[1-2]n[1-2]"), (Names{"r1n1", "r1n2", "r2n1", "r2n2"}));
}

TEST(Hostlist, RunsThreeBracketsInSlurmsOrder) {
  EXPECT_EQ(expand("r[1-2]c[1-2]n[1-2]"), (Names{"r1c1n1", "r1c1n2", "r2c1n1", "r2c1n2", "r1c2n1",
                                                 "r1c2n2", "r2c2n1", "r2c2n2"}));
}

TEST(Hostlist, TakesBracketsWithoutPrefix) {
  EXPECT_EQ(expand("[1-2]"), (Names{"1", "2"}));
  EXPECT_EQ(expand("a[1-2][3-4]"), (Names{"a13", "a14", "a23", "a24"}));
}

TEST(Hostlist, SplitsAtCommasAndBlanks) {
  EXPECT_EQ(expand("a b\tc\nd,e"), (Names{"a", "b", "c", "d", "e"}));
}

TEST(Hostlist, DropsEmptyItems) {
  EXPECT_EQ(expand(",a,, b,"), (Names{"a", "b"}));
  EXPECT_EQ(expand(""), Names{});
  EXPECT_EQ(expand(" ,\n"), Names{});
}

TEST(Hostlist, KeepsOrderAndDuplicates) {
  EXPECT_EQ(expand("n2,n[1,1],n2"), (Names{"n2", "n1", "n1", "n2"}));
}

TEST(Hostlist, KeepsANamesOwnNumberByteForByte) {
  EXPECT_EQ(expand("node18446744073709551617"), Names{"node18446744073709551617"});
}

TEST(Hostlist, TakesTheNamesOfClouds) {
  EXPECT_EQ(expand("ip-10-1-123-[4-5],queue1-dy-p5-[9-10]"),
            (Names{"ip-10-1-123-4", "ip-10-1-123-5", "queue1-dy-p5-9", "queue1-dy-p5-10"}));
}

struct Malformed {
  std::string_view list;
  std::string_view message;
};

// Several of these scontrol answers with made-up names.
constexpr Malformed kMalformed[] = {
    {"node[1-2", "position 9: expected ',' or ']', found the end"},
    {"node[1", "position 7: expected '-', ',' or ']', found the end"},
    {"node[", "position 6: expected a number, found the end"},
    {"node[]", "position 6: expected a number, found ']'"},
    {"node]", "position 5: expected ',' or the end, found ']'"},
    {"]", "position 1: expected a host name, found ']'"},
    {"n[1-]", "position 5: expected a number, found ']'"},
    {"n[-1]", "position 3: expected a number, found '-'"},
    {"n[1--2]", "position 5: expected a number, found '-'"},
    {"n[1-2-3]", "position 6: expected ',' or ']', found '-'"},
    {"n[1 - 2]", "position 4: expected '-', ',' or ']', found ' '"},
    {"n[1, 2]", "position 5: expected a number, found ' '"},
    {"n[+1]", "position 3: expected a number, found '+'"},
    {"n[1,,2]", "position 5: expected a number, found ','"},
    {"n[,1]", "position 3: expected a number, found ','"},
    {"n[1,]", "position 5: expected a number, found ']'"},
    {"n[a-c]", "position 3: expected a number, found 'a'"},
    {"n[0x1]", "position 4: expected '-', ',' or ']', found 'x'"},
    {"n[4-1]", "position 5: expected a number not below 4, found '1'"},
    {"n[[1]]", "position 3: expected a number, found '['"},
    {"n[1-2]]", "position 7: expected ',' or the end, found ']'"},
    {"n[1-2]-ib0", "position 7: expected ',' or the end after the last bracket, found '-'"},
    {"n[1]x,a", "position 5: expected ',' or the end after the last bracket, found 'x'"},
    {"n[1]x[2]y", "position 9: expected ',' or the end after the last bracket, found 'y'"},
    {"a,n[1,b", "position 7: expected a number, found 'b'"},
    {"a\rb", "position 2: expected ',' or the end, found byte 0x0d"},
};

TEST(Hostlist, RefusesMalformedListsWithThePosition) {
  for (const Malformed& wrong : kMalformed) {
    EXPECT_NE(refusal(wrong.list).find(wrong.message), std::string::npos)
        << wrong.list << ": " << refusal(wrong.list);
  }
}

TEST(Hostlist, SaysInOneLineWhatWasGiven) {
  EXPECT_EQ(refusal("node[1-"), "hostlist 'node[1-': position 8: expected a number, found the end");
  EXPECT_EQ(refusal("a\n]").find('\n'), std::string::npos);
}

TEST(Hostlist, ShowsAWindowOfALongList) {
  const std::string message = refusal(std::string(5000, ',') + "]" + std::string(5000, 'a'));
  EXPECT_LT(message.size(), 200u);
  EXPECT_NE(message.find("position 5001"), std::string::npos) << message;
}

TEST(Hostlist, HoldsItsLimits) {
  EXPECT_EQ(expand("n[0-65535]").size(), kMaxHosts);
  EXPECT_EQ(expand("n[0-255]m[0-255]").size(), kMaxHosts);
  for (const std::string& list :
       {std::string("n[0-65536]"), std::string("n[0-65535],m"), std::string("n[1-1000]m[1-1000]"),
        std::string("n[0-65535]m[0-65535]o[0-65535]p[0-65535]q[0-65535]"),
        "n[" + std::string(kMaxNumberDigits + 1, '1') + "]", std::string(kMaxHostName + 1, 'x'),
        std::string(kMaxHostName, 'x') + "[1-2]"}) {
    const auto names = expand_hostlist(list);
    ASSERT_FALSE(names.has_value()) << list;
    EXPECT_EQ(names.error().code(), ErrorCode::kLimit) << list;
  }
  EXPECT_EQ(expand(std::string(kMaxHostName, 'x')).size(), 1u);
}

TEST(Hostlist, SurvivesMutations) {
  constexpr std::string_view kBytes = "[],-0189 anx\t\n\x01";
  constexpr unsigned kSeed = 4242;
  std::mt19937 random(kSeed);
  const auto below = [&random](std::size_t bound) { return random() % bound; };
  std::size_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string list = "node[01-03,7],r[1-2]c[3-4]n[5,6],login";
    for (std::size_t change = 0; change <= below(4) && !list.empty(); ++change) {
      const std::size_t place = below(list.size());
      const char byte = kBytes[below(kBytes.size())];
      switch (below(4)) {
        case 0:
          list.erase(place, 1);
          break;
        case 1:
          list.insert(place, 1, byte);
          break;
        case 2:
          list[place] = byte;
          break;
        default:
          list.resize(place + 1);
      }
    }
    const auto names = expand_hostlist(list);
    if (!names) {
      ++refused;
      EXPECT_NE(names.error().message().find("position "), std::string::npos);
      continue;
    }
    EXPECT_LE(names->size(), kMaxHosts) << list << ", seed " << kSeed;
    // A name is a list of itself.
    for (std::size_t place = 0; place < std::min<std::size_t>(names->size(), 3); ++place) {
      EXPECT_EQ(expand((*names)[place]), Names{(*names)[place]}) << list;
    }
  }
  EXPECT_GT(refused, 100u);
  EXPECT_LT(refused, 2900u);
}

}  // namespace
}  // namespace muster::slurm
