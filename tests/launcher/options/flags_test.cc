#include "launcher/options/flags.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace muster::options {
namespace {

TEST(FlagTable, NamesAndLettersAreUnique) {
  std::set<std::string_view> names;
  std::set<char> letters;
  for (const FlagRow& row : flag_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    if (row.letter != 0) {
      EXPECT_TRUE(letters.insert(row.letter).second) << row.letter;
    }
  }
}

TEST(FlagTable, ExactlyTheAcceptedRowsDoSomething) {
  for (const FlagRow& row : flag_table()) {
    EXPECT_EQ(row.apply != nullptr, row.treatment == FlagTreatment::kAccepted) << row.name;
    EXPECT_FALSE(row.text.empty()) << row.name;
    EXPECT_EQ(row.name.find('_'), std::string_view::npos) << row.name;
  }
}

TEST(FlagTable, CoversTorchrunsOwnList) {
  for (const char* name : {"nnodes",
                           "nproc_per_node",
                           "rdzv_backend",
                           "rdzv_endpoint",
                           "rdzv_id",
                           "rdzv_conf",
                           "standalone",
                           "max_restarts",
                           "monitor_interval",
                           "start_method",
                           "event_log_handler",
                           "role",
                           "module",
                           "no_python",
                           "run_path",
                           "log_dir",
                           "redirects",
                           "tee",
                           "local_ranks_filter",
                           "duplicate_stdout_filters",
                           "duplicate_stderr_filters",
                           "logs_specs",
                           "node_rank",
                           "master_addr",
                           "master_port",
                           "local_addr",
                           "numa_binding",
                           "signals_to_handle",
                           "shutdown_timeout",
                           "virtual_local_rank"}) {
    const FlagRow* const row = find_flag(name);
    ASSERT_NE(row, nullptr) << name;
    EXPECT_EQ(row->origin, FlagOrigin::kTorchrun) << name;
  }
}

TEST(FlagTable, HelpNamesEveryFlagOfMuster) {
  const std::string help = help_text();
  for (const FlagRow& row : flag_table()) {
    if (row.origin != FlagOrigin::kMuster) continue;
    EXPECT_NE(help.find("--" + std::string(row.name)), std::string::npos) << row.name;
  }
}

TEST(FlagTable, HelpFitsOneScreenAndNamesNoUnknownFlag) {
  const std::string help = help_text();
  EXPECT_LE(std::count(help.begin(), help.end(), '\n'), 45);
  for (std::size_t at = help.find("--"); at != std::string::npos; at = help.find("--", at + 2)) {
    const std::size_t end = help.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at + 2);
    const std::string name = help.substr(at + 2, end - at - 2);
    const bool of_others = name.empty() || name == "epochs" || name == "nodes" ||
                           name == "ntasks-per-node";  // the program's and srun's, in examples
    EXPECT_TRUE(of_others || find_flag(name) != nullptr) << name;
  }
}

TEST(FindFlag, TakesDashesAndUnderscoresForTheSame) {
  EXPECT_EQ(find_flag("nproc_per_node"), find_flag("nproc-per-node"));
  EXPECT_EQ(find_flag("nproc-per_node")->name, "nproc-per-node");
  EXPECT_EQ(find_flag("nproc"), nullptr);
  EXPECT_EQ(find_flag('m')->name, "module");
  EXPECT_EQ(find_flag('x'), nullptr);
}

TEST(NearestFlag, FindsTyposAndBeginnings) {
  EXPECT_EQ(nearest_flag("nproc"), "nproc-per-node");
  EXPECT_EQ(nearest_flag("nprocs_per_node"), "nproc-per-node");
  EXPECT_EQ(nearest_flag("chek"), "check");
  EXPECT_EQ(nearest_flag("zzzzzzzz"), "");
  EXPECT_EQ(nearest_flag(std::string(10000, 'n')), "");
}

TEST(PetVariable, SpellsTheNameInCapitals) {
  EXPECT_EQ(pet_variable(*find_flag("nproc-per-node")), "PET_NPROC_PER_NODE");
}

}  // namespace
}  // namespace muster::options
