#include "collectives-bench/fabric/nics.h"

#include <gtest/gtest.h>

#include "collectives-bench/fabric/lane.h"
#include "collectives-bench/fabric/transfers.h"

namespace muster::bench::fabric {
namespace {

const std::vector<std::string> kNames = {"rdmap79s0", "rdmap80s0", "rdmap96s0"};

TEST(Nics, EachAndAllTakeEveryOneAndANameItself) {
  EXPECT_EQ(*choose_nics(kNames, "each"), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(*choose_nics(kNames, "all"), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(*choose_nics(kNames, "rdmap80s0"), (std::vector<std::size_t>{1}));
}

TEST(Nics, AnUnknownOneIsRefusedWithWhatThereIs) {
  const auto chosen = choose_nics(kNames, "eth0");
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().message(),
            "--nic eth0: there is rdmap79s0, rdmap80s0, rdmap96s0; write a name of these, each or "
            "all");
  EXPECT_FALSE(choose_nics({}, "each"));
}

TEST(Nics, TooManyAreRefused) {
  EXPECT_TRUE(choose_nics(std::vector<std::string>(kMaxNics, "x"), "each"));
  EXPECT_FALSE(choose_nics(std::vector<std::string>(kMaxNics + 1, "x"), "each"));
}

TEST(Nics, EachIsATurnByItselfAndAllAreOneTurn) {
  EXPECT_EQ(nic_turns(kNames, "each"),
            (std::vector<NicTurn>{{"rdmap79s0", {0}}, {"rdmap80s0", {1}}, {"rdmap96s0", {2}}}));
  EXPECT_EQ(nic_turns(kNames, "all"), (std::vector<NicTurn>{{"all 3", {0, 1, 2}}}));
  EXPECT_EQ(nic_turns({"eth0"}, "eth0"), (std::vector<NicTurn>{{"eth0", {0}}}));
  EXPECT_EQ(nic_turns({"eth0"}, "all"), (std::vector<NicTurn>{{"eth0", {0}}}));
}

TEST(Nics, OverIpEveryInterfaceHasOneAddressV4First) {
  const std::vector<LocalAddress> addresses = {
      {"lo", "127.0.0.1", true, false},        {"lo", "::1", true, true},
      {"eth1", "fd00::1", false, true},        {"eth1", "10.0.1.1", false, false},
      {"docker0", "172.17.0.1", false, false}, {"eth0", "10.0.0.1", false, false}};
  const auto names = [&addresses](bool one_node) {
    std::string text;
    for (const LocalAddress& address : addresses_by_interface(addresses, one_node)) {
      text += address.interface + "=" + address.address + " ";
    }
    return text;
  };
  EXPECT_EQ(names(true), "lo=127.0.0.1 eth1=10.0.1.1 eth0=10.0.0.1 ");
  EXPECT_EQ(names(false), "eth1=10.0.1.1 eth0=10.0.0.1 ");
}

TEST(LaneContact, WhatOneRankWritesAnotherReads) {
  const LaneContact contact{std::string("endpoint\0name", 13), {0x7fff12345678, 42}};
  ByteWriter writer;
  print_lane_contact(writer, contact);
  const std::string bytes = writer.take();
  ByteReader reader(bytes);
  EXPECT_EQ(read_lane_contact(reader), contact);
  EXPECT_TRUE(reader.finish("contact"));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader cut(std::string_view(bytes).substr(0, size));
    read_lane_contact(cut);
    EXPECT_FALSE(cut.finish("contact")) << size;
  }
}

// efa carries 32 bits; neighbours in epoch or index never look alike.
TEST(ArrivalNumber, FitsIn32BitsAndTellsEpochAndSlice) {
  EXPECT_EQ(arrival_number(1, 0), 1u << 20);
  EXPECT_EQ(arrival_number(4095, kMaxRmaSlices - 1), 0xffffffffu);
  EXPECT_NE(arrival_number(7, 3), arrival_number(8, 3));
  EXPECT_NE(arrival_number(4095, 0), arrival_number(4096, 0));
  EXPECT_NE(arrival_number(4096, 0), arrival_number(4097, 0));
  EXPECT_EQ(arrival_number(4096, 5), arrival_number(0, 5)) << "only so far ahead";
}

}  // namespace
}  // namespace muster::bench::fabric
