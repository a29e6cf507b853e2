#include "launcher/options/exit_codes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace muster::options {
namespace {

TEST(ExitCodes, TheTableHasEachCodeOnceInOrder) {
  int last = -1;
  for (const ExitCodeRow& row : exit_code_table()) {
    EXPECT_GT(to_int(row.code), last) << row.name;
    EXPECT_FALSE(row.meaning.empty()) << row.name;
    last = to_int(row.code);
  }
  EXPECT_EQ(exit_code_table().size(), 10u);
}

TEST(ExitCodes, OwnCodesStayAwayFromThoseOfProgramsAndShells) {
  // 2: argparse, bash; 93: "do not restart" of other launchers; 124, 125: timeout(1).
  constexpr std::array kTaken = {1, 2, 93, 124, 125};
  for (const ExitCodeRow& row : exit_code_table()) {
    const int code = to_int(row.code);
    EXPECT_EQ(std::ranges::count(kTaken, code), 0) << row.name;
    EXPECT_FALSE(code >= 64 && code <= 78) << row.name << " is one of sysexits.h";
    EXPECT_LT(code, kSignalBase) << row.name;
  }
}

TEST(ExitCodes, ASignalBecomes128PlusItsNumber) {
  EXPECT_EQ(exit_code_of_signal(9), 137);
  EXPECT_EQ(exit_code_of_signal(15), 143);
}

}  // namespace
}  // namespace muster::options
