#include "rendezvous/base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "rendezvous/base/result.h"

namespace muster {
namespace {

Result<int> parse_port(bool good) {
  if (!good) return failure(ErrorCode::kInvalidArgument, "port: not a number");
  return 12000;
}

Result<int> next_port(bool good) {
  MUSTER_TRY(port, parse_port(good));
  return port + 1;
}

Status check_port(bool good) {
  MUSTER_RETURN_IF_ERROR(parse_port(good));
  return {};
}

TEST(Error, EachLevelAddsItsNounOnce) {
  const Error error = Error(ErrorCode::kTimeout, "no answer").within("connect node017:12007");
  EXPECT_EQ(error.message(), "connect node017:12007: no answer");
  EXPECT_EQ(error.code(), ErrorCode::kTimeout);
}

TEST(Error, ASystemErrorCarriesItsText) {
  EXPECT_EQ(system_error("open /x", ENOENT).message(), "open /x: No such file or directory");
  EXPECT_EQ(system_error("open /x", EACCES).code(), ErrorCode::kPermissionDenied);
}

TEST(Result, TryPassesValuesAndErrorsOn) {
  EXPECT_EQ(next_port(true).value(), 12001);
  EXPECT_EQ(next_port(false).error().message(), "port: not a number");
  EXPECT_TRUE(check_port(true));
  EXPECT_FALSE(check_port(false));
}

}  // namespace
}  // namespace muster
