#include "launcher/health/training_libraries.h"

#include <gtest/gtest.h>

namespace muster::health {
namespace {

using Paths = std::set<std::string>;

// As Linux writes it, of a PyTorch process with the NCCL of a wheel and the plug-in of AWS.
constexpr std::string_view kMaps =
    "55d0c8a00000-55d0c8a5f000 r--p 00000000 103:01 1573  /opt/venv/bin/python3.11\n"
    "55d0ca111000-55d0ca2f1000 rw-p 00000000 00:00 0      [heap]\n"
    "7f1000000000-7f1000200000 rw-s 00000000 00:05 411    /dev/nvidia0\n"
    "7f1000200000-7f1000400000 rw-s 00000000 00:05 410    /dev/nvidiactl\n"
    "7f2000000000-7f2000400000 r--p 00000000 103:01 901   "
    "/opt/venv/lib/python3.11/site-packages/nvidia/nccl/lib/libnccl.so.2\n"
    "7f2000400000-7f200c000000 r-xp 00400000 103:01 901   "
    "/opt/venv/lib/python3.11/site-packages/nvidia/nccl/lib/libnccl.so.2\n"
    "7f3000000000-7f3000100000 r-xp 00000000 103:01 771   "
    "/opt/amazon/ofi-nccl/lib/x86_64-linux-gnu/libnccl-net.so\n"
    "7f3000100000-7f3000200000 r-xp 00000000 103:01 772   "
    "/opt/amazon/ofi-nccl/lib/x86_64-linux-gnu/libnccl-ofi-tuner.so\n"
    "7f4000000000-7f4000200000 r-xp 00000000 103:01 661   /opt/amazon/efa/lib/libfabric.so.1.27.0\n"
    "7f5000000000-7f5000001000 rw-s 00000000 00:19 77     /dev/shm/nccl-Xk2Yz1 (deleted)\n"
    "7ffd1b2f0000-7ffd1b311000 rw-p 00000000 00:00 0      [stack]\n";

TrainingLibraries read_maps(std::string_view maps) {
  return read_libraries(select_mapped_files(maps));
}

TEST(TrainingLibraries, AreFoundOnceEachInTheMaps) {
  const TrainingLibraries found = read_maps(kMaps);
  EXPECT_EQ(found.nccl,
            Paths{"/opt/venv/lib/python3.11/site-packages/nvidia/nccl/lib/libnccl.so.2"});
  EXPECT_EQ(found.plugins, Paths{"/opt/amazon/ofi-nccl/lib/x86_64-linux-gnu/libnccl-net.so"});
  EXPECT_EQ(found.libfabric, Paths{"/opt/amazon/efa/lib/libfabric.so.1.27.0"});
  EXPECT_TRUE(found.uses_gpu);
}

TEST(TrainingLibraries, KeepBlanksAndTheMarkOfADeletedFile) {
  const TrainingLibraries found = read_maps(
      "7f20-7f21 r-xp 00000000 103:01 901 /home/a b/libnccl.so.2.20.5 (deleted)\n"
      "7f20-7f21 r-xp 00000000 103:01 902 /x/libnccl-net-ofi.so");
  EXPECT_EQ(found.nccl, Paths{"/home/a b/libnccl.so.2.20.5 (deleted)"});
  EXPECT_EQ(found.plugins, Paths{"/x/libnccl-net-ofi.so"});
}

TEST(TrainingLibraries, AreNotWhatOnlyLooksAlike) {
  const TrainingLibraries found = read_maps(
      "7f20-7f21 r-xp 00000000 103:01 901 /home/libnccl.so/train.py\n"
      "7f20-7f21 r-xp 00000000 103:01 901 /x/libnccl_static.a\n"
      "7f20-7f21 r-xp 00000000 103:01 901 /x/libnccl-tuner.so\n"
      "7f20-7f21 r-xp 00000000 103:01 901 /x/\x1b[31m/libnccl.so.2\n"
      "garbage\n\n/");
  EXPECT_EQ(found, TrainingLibraries{});
}

TEST(TrainingLibraries, OfAnEmptyTextAreNone) {
  EXPECT_EQ(select_mapped_files(""), "");
  EXPECT_EQ(read_libraries(""), TrainingLibraries{});
}

TEST(TrainingLibrariesLine, TellsNcclPluginAndLibfabric) {
  const TrainingLibraries found{
      {"/a/libnccl.so.2"}, {"/b/libnccl-net.so"}, {"/c/libfabric.so.1"}, true};
  EXPECT_EQ(describe(found, false),
            "training uses NCCL /a/libnccl.so.2, network plug-in /b/libnccl-net.so, libfabric "
            "/c/libfabric.so.1");
}

TEST(TrainingLibrariesLine, TellsOfTwoNcclsInOneProcess) {
  const TrainingLibraries found{
      {"/a/libnccl.so.2", "/b/libnccl.so.2"}, {"/p/libnccl-net.so"}, {}, true};
  EXPECT_EQ(describe(found, false),
            "training uses NCCL /a/libnccl.so.2 and /b/libnccl.so.2, network plug-in "
            "/p/libnccl-net.so");
}

TEST(TrainingLibrariesLine, MissesAPluginOnlyAtTheLastLook) {
  const TrainingLibraries found{{"/a/libnccl.so.2"}, {}, {}, true};
  EXPECT_EQ(describe(found, false), std::nullopt);
  EXPECT_EQ(describe(found, true),
            "training uses NCCL /a/libnccl.so.2, no network plug-in: NCCL's own transports");
}

TEST(TrainingLibrariesLine, TellsOfAnotherNcclThanTheChecks) {
  const TrainingLibraries found{{"/venv/libnccl.so.2"}, {"/p/libnccl-net.so"}, {}, true};
  EXPECT_EQ(describe(found, false, {"NCCL 2.28.9", "/usr/lib/libnccl.so.2.28.9"}),
            "training uses NCCL /venv/libnccl.so.2, network plug-in /p/libnccl-net.so; the check "
            "measured with another, NCCL 2.28.9 of /usr/lib/libnccl.so.2.28.9: "
            "MUSTER_NCCL_LIBRARY=/venv/libnccl.so.2 checks with this one");
  EXPECT_EQ(describe(found, false, {"NCCL 2.28.9", "/venv/libnccl.so.2"}), describe(found, false));
  EXPECT_TRUE(describe({{"/a/libnccl.so.2"}, {}, {}, true}, true, {"NCCL 2.28.9", "/x"})
                  ->ends_with("=/a/libnccl.so.2 checks with this one"));
}

TEST(TrainingLibrariesLine, IsSilentForAProgramWithoutNcclOrWithoutGpu) {
  EXPECT_EQ(describe(TrainingLibraries{}, true), std::nullopt);
  EXPECT_EQ(describe({{}, {}, {"/c/libfabric.so.1"}, true}, true), std::nullopt);
  EXPECT_EQ(describe({{"/a/libnccl.so.2"}, {}, {}, false}, true), std::nullopt);
}

}  // namespace
}  // namespace muster::health
