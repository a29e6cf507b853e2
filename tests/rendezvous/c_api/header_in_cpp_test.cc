// The C header as C++ reads it.
#include <gtest/gtest.h>
#include <muster_rendezvous.h>

TEST(CHeader, IsUsableFromCpp) {
  muster_error error;
  EXPECT_EQ(muster_barrier(nullptr, 0, &error), MUSTER_INVALID_ARGUMENT);
  EXPECT_EQ(error.code, MUSTER_INVALID_ARGUMENT);
  EXPECT_STREQ(error.text, "barrier: group is NULL");
}

TEST(CHeader, KeepsTheSizesOfVersion0) {
  EXPECT_EQ(sizeof(muster_error), 4 + MUSTER_ERROR_TEXT);
  EXPECT_EQ(sizeof(muster_bytes), 16U);
  EXPECT_EQ(sizeof(muster_peer), 56U);
  EXPECT_EQ(sizeof(muster_join_options), 112U);
}
