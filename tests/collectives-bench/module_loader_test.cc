#include "collectives-bench/module_loader.h"

#include <gtest/gtest.h>

#include <fstream>

namespace muster::bench {
namespace {

TEST(ModuleLoader, LooksBesideTheProgramAndInItsLibraryFolder) {
  const auto folders = module_folders({}, "/opt/muster/bin/muster-bench");
  ASSERT_GE(folders.size(), 2u);
  EXPECT_EQ(folders[0], "/opt/muster/bin");
  EXPECT_EQ(folders[1], "/opt/muster/lib/muster");
}

TEST(ModuleLoader, TheVariableAloneCountsWhenItIsSet) {
  EXPECT_EQ(module_folders({{"MUSTER_MODULE_DIR", "/x"}}, "/opt/muster/bin/muster-bench"),
            std::vector<std::string>{"/x"});
}

TEST(ModuleLoader, ListsTheFoldersWithoutTheModule) {
  const auto module = LoadedModule::open("nosuch", {"/a", "/b"});
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().code(), ErrorCode::kNotFound);
  EXPECT_NE(module.error().message().find("no muster-bench-nosuch.so in /a, /b"), std::string::npos)
      << module.error().message();
}

TEST(ModuleLoader, AFileThatIsNoModuleSaysWhy) {
  const std::string folder = ::testing::TempDir();
  std::ofstream(folder + "/muster-bench-text.so") << "no shared object";
  const auto module = LoadedModule::open("text", {folder});
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().code(), ErrorCode::kUnsupported);
  EXPECT_NE(module.error().message().find("muster-bench-text.so"), std::string::npos);
}

TEST(ModuleLoader, AModuleOfAnotherInterfaceOrNameIsRefused) {
  const auto old = LoadedModule::open("old", {MUSTER_TEST_MODULES});
  ASSERT_FALSE(old);
  EXPECT_NE(old.error().message().find("interface version 999"), std::string::npos)
      << old.error().message();
  const auto misnamed = LoadedModule::open("misnamed", {MUSTER_TEST_MODULES});
  ASSERT_FALSE(misnamed);
  EXPECT_NE(misnamed.error().message().find("is backend other, expected misnamed"),
            std::string::npos)
      << misnamed.error().message();
  const auto empty = LoadedModule::open("empty", {MUSTER_TEST_MODULES});
  ASSERT_FALSE(empty);
  EXPECT_NE(empty.error().message().find("muster_bench_backend"), std::string::npos)
      << empty.error().message();
}

}  // namespace
}  // namespace muster::bench
