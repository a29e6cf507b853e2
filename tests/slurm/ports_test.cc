#include "slurm/ports.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace muster::slurm {
namespace {

using Ports = std::vector<std::uint16_t>;

std::string refusal(std::string_view text) {
  const auto ports = expand_ports(text);
  EXPECT_FALSE(ports.has_value()) << text;
  return ports ? "" : ports.error().message();
}

TEST(Ports, WritesRangesOut) {
  EXPECT_EQ(*expand_ports("20012-20014,20030"), (Ports{20012, 20013, 20014, 20030}));
  EXPECT_EQ(*expand_ports("1,65535"), (Ports{1, 65535}));
}

TEST(Ports, TakesNoTextAsNoPorts) {
  EXPECT_TRUE(expand_ports("")->empty());
}

TEST(Ports, RefusesMalformedTextWithThePosition) {
  EXPECT_EQ(refusal("20012-"), "ports '20012-': position 7: expected a port, found the end");
  EXPECT_NE(refusal("2-1").find("position 3: expected a port from 2, found '1'"),
            std::string::npos);
  EXPECT_NE(refusal("0").find("position 1: expected a port from 1"), std::string::npos);
  EXPECT_NE(refusal("5;6").find("position 2: expected '-', ',' or the end, found ';'"),
            std::string::npos);
  EXPECT_NE(refusal("5,").find("position 3: expected a port"), std::string::npos);
}

TEST(Ports, HoldsItsLimits) {
  EXPECT_EQ(expand_ports("1-65535")->size(), kMaxPorts);
  for (const std::string_view text : {"65536", "1-65535,1", "99999999999999999999"}) {
    const auto ports = expand_ports(text);
    ASSERT_FALSE(ports.has_value()) << text;
    EXPECT_EQ(ports.error().code(), ErrorCode::kLimit) << text;
  }
}

TEST(Ports, SurvivesMutations) {
  constexpr std::string_view kBytes = "0189,- a";
  constexpr unsigned kSeed = 13;
  std::mt19937 random(kSeed);
  for (int round = 0; round < 3000; ++round) {
    std::string text = "20012-20020,20030";
    for (std::size_t change = 0; change <= random() % 4; ++change) {
      text[random() % text.size()] = kBytes[random() % kBytes.size()];
    }
    const auto ports = expand_ports(text);
    if (!ports) continue;
    EXPECT_LE(ports->size(), kMaxPorts);
    EXPECT_EQ(std::count(ports->begin(), ports->end(), 0), 0) << text << ", seed " << kSeed;
  }
}

}  // namespace
}  // namespace muster::slurm
