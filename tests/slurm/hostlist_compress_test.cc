#include "slurm/hostlist_compress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "slurm/hostlist.h"

namespace muster::slurm {
namespace {

using Names = std::vector<std::string>;

TEST(HostlistCompress, LeavesOneNameAsItIs) {
  EXPECT_EQ(compress_hostlist({"node7"}), "node7");
  EXPECT_EQ(compress_hostlist({"login"}), "login");
  EXPECT_EQ(compress_hostlist({"007"}), "007");
}

TEST(HostlistCompress, GivesNothingForNoNames) {
  EXPECT_EQ(compress_hostlist({}), "");
}

TEST(HostlistCompress, FoldsNeighboursWhateverTheirOrder) {
  EXPECT_EQ(compress_hostlist({"node3", "node1", "node7", "node2"}), "node[1-3,7]");
}

TEST(HostlistCompress, NamesEachHostOnce) {
  EXPECT_EQ(compress_hostlist({"node1", "login", "node1", "login"}), "login,node1");
}

TEST(HostlistCompress, GrowsANumberByADigitWithinARange) {
  EXPECT_EQ(compress_hostlist({"n8", "n9", "n10", "n11"}), "n[8-11]");
  EXPECT_EQ(compress_hostlist({"n099", "n100", "n101"}), "n[099-101]");
}

TEST(HostlistCompress, KeepsWidthsApart) {
  EXPECT_EQ(compress_hostlist({"n1", "n02", "n3"}), "n[1,02,3]");
  EXPECT_EQ(compress_hostlist({"n01", "n1"}), "n[01,1]");
  EXPECT_EQ(compress_hostlist({"n09", "n010"}), "n[09,010]");
}

TEST(HostlistCompress, FoldsOnlyTheLastNumberOfAName) {
  EXPECT_EQ(compress_hostlist({"ip-10-1-57-141", "ip-10-1-57-142", "ip-10-1-58-141"}),
            "ip-10-1-57-[141-142],ip-10-1-58-141");
}

TEST(HostlistCompress, LeavesANumberTooLongForABracketInTheName) {
  const std::string name = "n" + std::string(kMaxNumberDigits + 1, '1');
  EXPECT_EQ(compress_hostlist({name, name + "2"}), name + "," + name + "2");
}

TEST(HostlistCompress, KeepsAPlainNameApartFromTheNumbersOfItsPrefix) {
  EXPECT_EQ(compress_hostlist({"node", "node0", "node1"}), "node,node[0-1]");
}

// Names that lie close together, so that ranges, gaps and widths meet.
Names random_names(std::mt19937& random) {
  static constexpr const char* kPrefixes[] = {"node", "n0", "ip-10-1-", "", "a.b"};
  Names names;
  for (std::size_t count = 1 + random() % 40; count > 0; --count) {
    std::string digits = std::to_string(random() % 120);
    digits.insert(0, random() % 3, '0');
    names.push_back(kPrefixes[random() % std::size(kPrefixes)] + digits);
  }
  return names;
}

TEST(HostlistCompress, ExpandsBackToTheSameNames) {
  std::mt19937 random(20261123);
  for (int round = 0; round < 2000; ++round) {
    const Names names = random_names(random);
    const std::string list = compress_hostlist(names);
    const auto expanded = expand_hostlist(list);
    ASSERT_TRUE(expanded.has_value()) << list << ": " << expanded.error().message();
    EXPECT_EQ(std::set(expanded->begin(), expanded->end()), std::set(names.begin(), names.end()))
        << list;
    EXPECT_EQ(expanded->size(), std::set(names.begin(), names.end()).size()) << list;
  }
}

}  // namespace
}  // namespace muster::slurm
