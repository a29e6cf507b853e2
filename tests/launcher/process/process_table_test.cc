#include "launcher/process/process_table.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <random>

namespace muster::process {
namespace {

TEST(ProcessTable, ParsesACommandWithBlanksAndParentheses) {
  const auto record = parse_stat("4242 (a ) S (b) Z 17 42 7 0 -1 4194560\n");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->pid, 4242);
  EXPECT_TRUE(record->is_zombie());
  EXPECT_EQ(record->parent, 17);
  EXPECT_EQ(record->group, 42);
  EXPECT_EQ(record->session, 7);
}

TEST(ProcessTable, RefusesWhatIsNoStatLine) {
  for (const char* text : {"", "x", "12", "12 (", "12 (a)", "12 (a) ", "12 (a) S", "12 (a) S 1 2"})
    EXPECT_FALSE(parse_stat(text).has_value()) << text;
}

TEST(ProcessTable, SurvivesMutatedLines) {
  std::mt19937 random(7);
  const std::string line = "4242 (a ) S (b) Z 17 42 7 0 -1 4194560\n";
  for (int i = 0; i < 20000; ++i) {
    std::string mutated = line.substr(0, random() % (line.size() + 1));
    if (!mutated.empty()) mutated[random() % mutated.size()] = static_cast<char>(random());
    if (const auto record = parse_stat(mutated)) {
      EXPECT_FALSE(mutated.empty());
    }
  }
}

TEST(ProcessTable, FindsThisProcess) {
  const auto self = read_process(::getpid());
  ASSERT_TRUE(self.has_value());
  EXPECT_EQ(self->parent, ::getppid());
  EXPECT_EQ(self->session, ::getsid(0));
  bool found = false;
  for (const ProcessRecord& record : own_processes()) found |= record.pid == ::getpid();
  EXPECT_TRUE(found);
  EXPECT_FALSE(carries_marker(::getpid(), "no such marker"));
}

}  // namespace
}  // namespace muster::process
