#include "collectives-bench/profile/baseline.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "collectives-bench/profile/profile_files.h"

namespace muster::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kGiga = 1ULL << 30;

const std::vector<MeasuredBusbw> kMeasured{
    {"all_reduce", 2, 8, "", 4 * kGiga, 470.123456789012345},
    {"all_reduce", 2, 8, "", kGiga, 1.0 / 3.0},
    {"all_reduce", 2, 8, "", kGiga, 436.25},
    {"all_reduce", 1, 8, "NVLS", kGiga, 481},
    {"all_reduce", 2, 8, "", 2 * kGiga, 0},  // not measured
};

Profile p5() {
  return load_profile(std::string(MUSTER_PROFILES) + "/p5.yaml").value_or(Profile{});
}

TEST(Baseline, ReplacesThePublishedRowsThatWereMeasured) {
  const Profile profile = record_baseline(p5(), kMeasured, "job 4711 on node[001-002]");
  const auto found = expect_busbw(profile, {"all_reduce", 2, 8, kGiga});
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (ExpectedBusbw{436.25, 436.25 * 0.9, FigureKind::kRecorded, false, 2, "",
                                   "job 4711 on node[001-002]"}));
  EXPECT_TRUE(found->may_stop());
  EXPECT_DOUBLE_EQ(expect_busbw(profile, {"all_reduce", 1, 8, kGiga})->busbw, 481);
  EXPECT_DOUBLE_EQ(expect_busbw(profile, {"all_reduce", 4, 8, kGiga})->busbw, 280);
  EXPECT_EQ(profile.gpus, p5().gpus);
}

class BaselineFile : public testing::Test {
 protected:
  BaselineFile() {
    std::string name = (fs::temp_directory_path() / "muster_test_XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~BaselineFile() override { fs::remove_all(root_); }
  fs::path root_;
};

TEST_F(BaselineFile, ReadsBackIdenticalAndLeavesNoDraft) {
  const std::string path = (root_ / "mine.yaml").string();
  const Profile profile = record_baseline(p5(), kMeasured, "a \"quoted\"\norigin\\");
  for (int round = 0; round < 2; ++round) {  // the second replaces the first
    const Status written = write_baseline_file(path, profile);
    ASSERT_TRUE(written.has_value()) << written.error().message();
  }
  const Result<Profile> back = load_profile(path);
  ASSERT_TRUE(back.has_value()) << back.error().message();
  EXPECT_EQ(*back, profile);
  EXPECT_FALSE(fs::exists(path + ".new"));
}

TEST_F(BaselineFile, KeepsTheOldFileWhenTheNewOneIsNoProfile) {
  const std::string path = (root_ / "mine.yaml").string();
  ASSERT_TRUE(write_baseline_file(path, p5()).has_value());
  Profile broken = p5();
  broken.name = "";
  const Status written = write_baseline_file(path, broken);
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(load_profile(path).value_or(Profile{}), p5());
  EXPECT_FALSE(fs::exists(path + ".new"));
}

TEST_F(BaselineFile, SaysWhereItCannotWrite) {
  const Status written = write_baseline_file((root_ / "no/where.yaml").string(), p5());
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().message(), "write the baseline " +
                                           (root_ / "no/where.yaml.new").string() +
                                           ": cannot write there; expected a folder with room");
}

}  // namespace
}  // namespace muster::bench
