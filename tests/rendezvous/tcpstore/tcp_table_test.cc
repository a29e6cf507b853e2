#include "rendezvous/tcpstore/tcp_table.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>

namespace muster::tcpstore {
namespace {

// Captured on an x86-64 machine: a listener, both ends of one connection, one that is in TIME_WAIT,
// one whose owner closed it (inode 0).
constexpr const char* kV4Table =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode                                                     \n"
    "   0: 0100007F:9C41 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 "
    "20911 1 0000000000000000 100 0 0 10 0                      \n"
    "   1: 0100007F:A3D2 0100007F:9C41 01 00000000:00000000 00:00000000 00000000  1000        0 "
    "20912 2 0000000000000000 20 4 30 10 -1                     \n"
    "   2: 0100007F:9C41 0100007F:A3D2 01 00000000:00000000 00:00000000 00000000  1001        0 "
    "20915 1 0000000000000000 20 4 30 10 -1                     \n"
    "   3: 0100007F:A3D4 0100007F:9C41 06 00000000:00000000 03:0000176F 00000000     0        0 0 "
    "3 0000000000000000                                         \n"
    "   4: 0100007F:A3D6 0100007F:9C41 05 00000000:00000000 00:00000000 00000000     0        0 0 "
    "1 0000000000000000                                         \n";

constexpr const char* kV6Table =
    "  sl  local_address                         remote_address                        st tx_queue "
    "rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 00000000000000000000000001000000:9C41 00000000000000000000000001000000:A3D8 01 "
    "00000000:00000000 00:00000000 00000000  1002        0 20920 1 0000000000000000 20 4 30 10 -1\n"
    "   1: 0000000000000000FFFF00000100000A:0050 0000000000000000FFFF00000200000A:C350 01 "
    "00000000:00000000 00:00000000 00000000  1003        0 20921 1 0000000000000000 20 4 30 10 "
    "-1\n";

TcpPair pair_of(const std::string& local, std::uint16_t local_port, const std::string& remote,
                std::uint16_t remote_port) {
  return {address_bytes(local).value(), local_port, address_bytes(remote).value(), remote_port};
}

class TcpTable : public testing::Test {
 protected:
  void SetUp() override {
    if constexpr (std::endian::native != std::endian::little)
      GTEST_SKIP() << "the captured tables are a little endian machine's";
  }
};

TEST_F(TcpTable, FindsEachEndOfAConnectionApart) {
  EXPECT_EQ(find_tcp_owner(kV4Table, pair_of("127.0.0.1", 0xA3D2, "127.0.0.1", 0x9C41)), 1000U);
  EXPECT_EQ(find_tcp_owner(kV4Table, pair_of("127.0.0.1", 0x9C41, "127.0.0.1", 0xA3D2)), 1001U);
}

TEST_F(TcpTable, FindsV6AndV4MappedRows) {
  EXPECT_EQ(find_tcp_owner(kV6Table, pair_of("::1", 0x9C41, "::1", 0xA3D8)), 1002U);
  EXPECT_EQ(find_tcp_owner(kV6Table, pair_of("10.0.0.1", 80, "10.0.0.2", 50000)), 1003U);
  EXPECT_EQ(find_tcp_owner(kV6Table, pair_of("::ffff:10.0.0.1", 80, "10.0.0.2", 50000)), 1003U);
}

TEST_F(TcpTable, ConfusesNoOctetsPortsOrEnds) {
  EXPECT_EQ(find_tcp_owner(kV6Table, pair_of("1.0.0.10", 80, "2.0.0.10", 50000)), std::nullopt);
  EXPECT_EQ(find_tcp_owner(kV6Table, pair_of("10.0.0.1", 0x5000, "10.0.0.2", 50000)), std::nullopt);
  EXPECT_EQ(find_tcp_owner(kV6Table, pair_of("10.0.0.2", 50000, "10.0.0.1", 80)), std::nullopt);
  EXPECT_EQ(find_tcp_owner(kV6Table, pair_of("10.0.0.1", 80, "10.0.0.2", 50001)), std::nullopt);
}

TEST_F(TcpTable, ShowsNobodyForWhatNobodyHolds) {
  EXPECT_EQ(find_tcp_owner(kV4Table, pair_of("127.0.0.1", 0x9C41, "0.0.0.0", 0)), std::nullopt);
  EXPECT_EQ(find_tcp_owner(kV4Table, pair_of("127.0.0.1", 0xA3D4, "127.0.0.1", 0x9C41)),
            std::nullopt);
  EXPECT_EQ(find_tcp_owner(kV4Table, pair_of("127.0.0.1", 0xA3D6, "127.0.0.1", 0x9C41)),
            std::nullopt);
}

TEST_F(TcpTable, ShowsNobodyWhereTwoUsersFit) {
  const TcpPair pair = pair_of("127.0.0.1", 0xA3D2, "127.0.0.1", 0x9C41);
  std::string other = kV4Table;
  other.replace(other.find("1000        0 20912"), 4, "1007");
  EXPECT_EQ(find_tcp_owner(std::string(kV4Table) + kV4Table, pair), 1000U);
  EXPECT_EQ(find_tcp_owner(std::string(kV4Table) + other, pair), std::nullopt);
}

TEST_F(TcpTable, ReadsNoRowFromWhatIsNone) {
  for (const std::string line :
       {"", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when", "0: 1 2 3",
        "0: 0100007F:9C41 0100007F:A3D2 01 0:0 0:0 0 x 0 1",
        "0: 0100007F:9C41 0100007F 01 0 0 0 1 0 1",
        "0: 0100007F:9C41 0100007F:1A3D2 01 0:0 0:0 0 1 0 1",
        "0: 0100007G:9C41 0100007F:A3D2 01 0:0 0:0 0 1 0 1"})
    EXPECT_EQ(parse_tcp_row(line), std::nullopt) << line;
  EXPECT_TRUE(parse_tcp_row("0: 0100007F:9C41 0100007F:A3D2 01 0:0 0:0 0 1 0 1"));
}

TEST_F(TcpTable, ReadsEveryPrefixOfATableWithoutHarm) {
  const std::string table = kV6Table;
  const TcpPair pair = pair_of("::1", 0x9C41, "::1", 0xA3D8);
  for (std::size_t size = 0; size <= table.size(); ++size) {
    const auto owner = find_tcp_owner(std::string(table, 0, size), pair);
    EXPECT_TRUE(!owner || *owner == 1002U) << size;
  }
}

TEST(AddressBytes, RefusesNamesAndDropsZones) {
  EXPECT_FALSE(address_bytes("localhost"));
  EXPECT_FALSE(address_bytes(""));
  EXPECT_FALSE(address_bytes("10.0.0"));
  EXPECT_EQ(address_bytes("fe80::1%eth0").value(), address_bytes("fe80::1").value());
  EXPECT_TRUE(is_v4(address_bytes("::ffff:10.0.0.1").value()));
  EXPECT_FALSE(is_v4(address_bytes("::1").value()));
}

}  // namespace
}  // namespace muster::tcpstore
