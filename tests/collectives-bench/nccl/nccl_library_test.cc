#include "collectives-bench/nccl/nccl_library.h"

#include <gtest/gtest.h>

namespace muster::bench::nccl {
namespace {

TEST(NcclLibrary, WritesVersionsAsNcclDoes) {
  EXPECT_EQ(nccl_version_text(22809), "2.28.9");
  EXPECT_EQ(nccl_version_text(21805), "2.18.5");
  EXPECT_EQ(nccl_version_text(2804), "2.8.4");
}

TEST(NcclLibrary, FindsTheNetPluginInTheMaps) {
  const std::string nothing =
      "7f00-7f01 r-xp 00000000 00:00 0\n7f02-7f03 r-xp 0 08:01 7 /usr/lib/libnccl.so.2.28.9\n";
  EXPECT_EQ(net_plugin_in(nothing), "built-in transport");
  EXPECT_EQ(net_plugin_in(nothing + "7f r-xp 0 08:01 9 /opt/amazon/ofi-nccl/lib/libnccl-net.so\n"),
            "libnccl-net.so");
  EXPECT_EQ(net_plugin_in("a /opt/amazon/efa/lib64/libfabric.so.1.25.0\n" + nothing +
                          "7f r-xp 0 08:01 9 /opt/ofi/libnccl-net-ofi.so"),
            "libnccl-net-ofi.so with libfabric.so.1.25.0");
  EXPECT_EQ(net_plugin_in(""), "built-in transport");
}

TEST(NcclLibrary, AMissingFileIsOneLineWithTheOption) {
  const auto library = NcclLibrary::open("/nowhere/libnccl.so.2", {});
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().code(), ErrorCode::kNotFound);
  EXPECT_NE(library.error().message().find("--nccl-library"), std::string::npos);
  EXPECT_NE(library.error().message().find("/nowhere/libnccl.so.2"), std::string::npos);
  EXPECT_FALSE(NcclLibrary::open("", {{"MUSTER_NCCL_LIBRARY", "/nowhere/other.so"}}));
}

}  // namespace
}  // namespace muster::bench::nccl
