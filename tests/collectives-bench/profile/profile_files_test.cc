#include "collectives-bench/profile/profile_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "collectives-bench/profile/job_environment.h"

namespace muster::bench {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kShipped{MUSTER_PROFILES};

class ProfileFiles : public testing::Test {
 protected:
  ProfileFiles() {
    std::string name = (fs::temp_directory_path() / "muster_test_XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~ProfileFiles() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  fs::path root_;
};

TEST_F(ProfileFiles, ReadsTheMachineFromItsFirmware) {
  write("class/dmi/id/product_name", "p5.48xlarge\n");
  write("class/dmi/id/board_asset_tag", "i-0123456789abcdef0\n");
  EXPECT_EQ(read_machine(root_.string()), (Machine{"p5.48xlarge", "i-0123456789abcdef0"}));
  EXPECT_EQ(read_machine((root_ / "nowhere").string()), Machine{});
}

TEST_F(ProfileFiles, BelievesNoGarbageOfAFirmware) {
  write("class/dmi/id/product_name", "../a\x1b[31m b" + std::string(1000, 'x') + "\nnext");
  const Machine machine = read_machine(root_.string());
  EXPECT_TRUE(machine.instance_type.starts_with("..a31mbxxx")) << machine.instance_type;
  EXPECT_EQ(machine.instance_type.size(), 64U);
}

TEST_F(ProfileFiles, ChoosesByMachineNameTypeAndPath) {
  const auto name_of = [](const std::optional<std::string>& wanted, const std::string& type) {
    const Result<Profile> profile = choose_profile(wanted, {type, ""}, kShipped);
    return profile ? profile->name : profile.error().message();
  };
  EXPECT_EQ(name_of(std::nullopt, "p5.48xlarge"), "p5");
  EXPECT_EQ(name_of(std::nullopt, "p4de.24xlarge"), "p4d");
  EXPECT_EQ(name_of(std::nullopt, "KVM"), "generic");
  EXPECT_EQ(name_of(std::nullopt, ""), "generic");
  EXPECT_EQ(name_of("p5en", "p5.48xlarge"), "p5en") << "what is given goes before what is found";
  EXPECT_EQ(name_of("ml.p6-b200.48xlarge", ""), "p6-b200");
  write("mine.yaml", "profile: mine\n");
  EXPECT_EQ(name_of((root_ / "mine.yaml").string(), ""), "mine");
  EXPECT_EQ(name_of("p9", ""), std::string("no profile 'p9' in ") + MUSTER_PROFILES +
                                   "; expected generic, p4d, p5, p5e, p5en, p6-b200, or the path "
                                   "of a .yaml file");
}

TEST_F(ProfileFiles, TellsOfAFileThatIsMissingOrNoFile) {
  for (const std::string& path : {(root_ / "none.yaml").string(), root_.string()}) {
    const Result<Profile> profile = load_profile(path);
    ASSERT_FALSE(profile.has_value());
    EXPECT_EQ(profile.error().message(),
              "the profile " + path + " cannot be read; expected a YAML file");
  }
}

TEST_F(ProfileFiles, LooksBesideTheProgramUnlessTold) {
  EXPECT_EQ(profile_folders({}, "/opt/muster/bin/muster").front(),
            "/opt/muster/share/muster/profiles");
  EXPECT_EQ(profile_folders({{"MUSTER_PROFILE_DIR", "/mine"}}, "/opt/muster/bin/muster"),
            (std::vector<std::string>{"/mine"}));
}

TEST(ShippedProfiles, AreSoundAndSetNothingObsolete) {
  for (const char* name : {"p4d", "p5", "p5e", "p5en", "p6-b200", "generic"}) {
    const Result<Profile> profile =
        load_profile(std::string(MUSTER_PROFILES) + "/" + name + ".yaml");
    ASSERT_TRUE(profile.has_value()) << profile.error().message();
    EXPECT_EQ(profile->name, name);
    for (const EnvironmentSetting& setting : profile->environment) {
      EXPECT_EQ(why_obsolete(setting.name), "") << name << " sets " << setting.name;
    }
    for (const BusbwRow& row : profile->busbw) {
      EXPECT_EQ(row.kind, FigureKind::kPublished) << name << ": no shipped figure may stop a job";
    }
  }
}

TEST(ShippedProfiles, GiveThePublishedFiguresOfP5) {
  const Result<Profile> profile = load_profile(std::string(MUSTER_PROFILES) + "/p5.yaml");
  ASSERT_TRUE(profile.has_value()) << profile.error().message();
  const auto at = [&profile](std::uint32_t nodes, std::uint64_t mebibytes) {
    return expect_busbw(*profile, {"all_reduce", nodes, 8, mebibytes << 20})->busbw;
  };
  EXPECT_DOUBLE_EQ(at(2, 256), 364);
  EXPECT_DOUBLE_EQ(at(32, 256), 138);
  EXPECT_DOUBLE_EQ(at(4, 1024), 280);
  EXPECT_DOUBLE_EQ(at(4, 1536), 280) << "not across the change of algorithm at 2G";
  EXPECT_DOUBLE_EQ(at(4, 2048), 348);
  EXPECT_DOUBLE_EQ(at(1, 16384), 485);
}

}  // namespace
}  // namespace muster::bench
