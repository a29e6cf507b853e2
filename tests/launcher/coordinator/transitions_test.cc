#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "launcher/coordinator/coordinator.h"

namespace muster::launcher {
namespace {

TEST(CoordinatorTable, ListsEveryPairOnceInOrder) {
  ASSERT_EQ(transitions().size(), kPhaseCount * kEventKindCount);
  for (std::size_t i = 0; i < transitions().size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(transitions()[i].phase), i / kEventKindCount);
    EXPECT_EQ(static_cast<std::size_t>(transitions()[i].event), i % kEventKindCount);
  }
}

TEST(CoordinatorTable, OnlyImpossiblePairsLeadNowhere) {
  for (const Transition& row : transitions()) {
    EXPECT_EQ(row.next.empty(), row.action == Action::kImpossible)
        << to_string(row.phase) << " / " << to_string(row.event);
  }
}

// The page shows the table without the rows that do nothing.
std::string page_rows() {
  std::string text;
  for (const Transition& row : transitions()) {
    if (row.action == Action::kImpossible || row.action == Action::kIgnore) continue;
    text += "| " + std::string(to_string(row.phase)) + " | " + std::string(to_string(row.event)) +
            " | " + std::string(row.next) + " |\n";
  }
  return text;
}

TEST(CoordinatorTable, ThePageShowsIt) {
  std::ifstream file(MUSTER_LAUNCHER_README);
  ASSERT_TRUE(file) << MUSTER_LAUNCHER_README;
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_NE(page.str().find(page_rows()), std::string::npos) << "launcher/README.md should hold:\n"
                                                             << page_rows();
}

}  // namespace
}  // namespace muster::launcher
