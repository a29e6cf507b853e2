// The page is the table: README.md of launcher/options holds exactly the rows of the program.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "launcher/options/exit_codes.h"
#include "launcher/options/flags.h"

namespace muster::options {
namespace {

std::string escaped(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    if (letter == '|') result += '\\';
    result += letter;
  }
  return result;
}

std::string flag_line(const FlagRow& row) {
  std::string name = fmt::format("`--{}", row.name);
  if (!row.placeholder.empty()) name += fmt::format("={}", row.placeholder);
  name += '`';
  if (row.letter != 0) name += fmt::format(", `-{}`", row.letter);
  if (row.origin == FlagOrigin::kMuster) return fmt::format("| {} | {} |", name, escaped(row.text));
  return fmt::format("| {} | {} | {} | {} |", name, row.reads_pet ? "yes" : "no",
                     to_string(row.treatment), escaped(row.text));
}

std::vector<std::string> page_lines(std::string_view beginning) {
  std::ifstream page(OPTIONS_PAGE);
  EXPECT_TRUE(page.is_open()) << OPTIONS_PAGE;
  std::vector<std::string> lines;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with(beginning)) lines.push_back(line);
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST(OptionsPage, ListsExactlyTheFlagsOfTheTable) {
  std::vector<std::string> expected;
  for (const FlagRow& row : flag_table()) expected.push_back(flag_line(row));
  EXPECT_EQ(joined(page_lines("| `--")), joined(expected));
}

TEST(OptionsPage, ListsExactlyTheExitCodes) {
  std::vector<std::string> expected;
  for (const ExitCodeRow& row : exit_code_table()) {
    expected.push_back(
        fmt::format("| **{}** | {} | {} |", to_int(row.code), row.name, row.meaning));
  }
  EXPECT_EQ(joined(page_lines("| **")), joined(expected));
}

}  // namespace
}  // namespace muster::options
