#include "rendezvous/base/bytes.h"

#include <gtest/gtest.h>

#include <random>

namespace muster {
namespace {

TEST(Bytes, RoundTripsEveryKind) {
  ByteWriter writer;
  writer.u8(7).u16(0x1234).u32(0xdeadbeef).u64(0x0123456789abcdef).i64(-5).string("ab").raw("c");
  ByteReader reader(writer.bytes());
  EXPECT_EQ(reader.u8(), 7);
  EXPECT_EQ(reader.u16(), 0x1234);
  EXPECT_EQ(reader.u32(), 0xdeadbeefu);
  EXPECT_EQ(reader.u64(), 0x0123456789abcdefu);
  EXPECT_EQ(reader.i64(), -5);
  EXPECT_EQ(reader.string(2), "ab");
  EXPECT_EQ(reader.raw(1), "c");
  EXPECT_TRUE(reader.finish("message"));
}

TEST(Bytes, NumbersAreLittleEndian) {
  EXPECT_EQ(ByteWriter().u32(1).bytes(), std::string("\1\0\0\0", 4));
}

TEST(Bytes, RefusesAStringOverItsLimitAndStaysFailed) {
  ByteWriter writer;
  writer.string("abc").u8(1);
  ByteReader reader(writer.bytes());
  EXPECT_EQ(reader.string(2), "");
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_EQ(reader.finish("greeting").error().message(), "greeting: cut short or over a limit");
}

TEST(Bytes, NamesBytesThatAreLeftOver) {
  ByteReader reader("xy");
  reader.u8();
  EXPECT_EQ(reader.finish("greeting").error().message(), "greeting: 1 bytes too many");
}

TEST(Bytes, NeverReadsPastTheEndOfAnyMutation) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 24, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    ByteReader reader(bytes);
    while (!reader.failed() && reader.remaining() > 0) {
      if (random() % 2 == 0) {
        EXPECT_LE(reader.string(16).size(), 16u);
      } else {
        reader.u64();
      }
    }
  }
}

}  // namespace
}  // namespace muster
