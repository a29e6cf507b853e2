#include "launcher/plan/command.h"

#include <gtest/gtest.h>

namespace muster::plan {
namespace {

using Words = std::vector<std::string>;

Words command(ProgramStart start, const Words& words, const Environment& environment = {}) {
  const auto made = make_command(start, words, environment);
  EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message());
  return made.value_or(Words{});
}

TEST(Command, StartsAScriptWithPythonUnbuffered) {
  EXPECT_EQ(command(ProgramStart::kByName, {"train.py", "--lr", "1"}),
            (Words{"python3", "-u", "train.py", "--lr", "1"}));
}

TEST(Command, StartsAScriptOfAnyNameWhenTold) {
  EXPECT_EQ(command(ProgramStart::kScript, {"train"}), (Words{"python3", "-u", "train"}));
}

TEST(Command, StartsAModule) {
  EXPECT_EQ(command(ProgramStart::kModule, {"pkg.train", "x"}),
            (Words{"python3", "-u", "-m", "pkg.train", "x"}));
}

TEST(Command, TakesTheUsersPython) {
  EXPECT_EQ(command(ProgramStart::kByName, {"a.py"}, {{"PYTHON_EXEC", "/opt/py"}})[0], "/opt/py");
  EXPECT_EQ(command(ProgramStart::kByName, {"a.py"}, {{"PYTHON_EXEC", ""}})[0], "python3");
}

TEST(Command, ExecutesAnythingElseAsItIs) {
  EXPECT_EQ(command(ProgramStart::kByName, {"./a.out", "x.py"}), (Words{"./a.out", "x.py"}));
  EXPECT_EQ(command(ProgramStart::kByName, {"python", "a.py"}), (Words{"python", "a.py"}));
}

TEST(Command, ExecutesAScriptAsItIsWithoutPython) {
  EXPECT_EQ(command(ProgramStart::kExecutable, {"./a.py"}), Words{"./a.py"});
}

TEST(Command, SaysWhatToWriteWithoutAProgram) {
  for (const Words& words : {Words{}, Words{""}}) {
    const auto program = make_command(ProgramStart::kByName, words, {});
    ASSERT_FALSE(program.has_value());
    EXPECT_NE(program.error().message().find("write `muster [options] program"), std::string::npos);
    const auto module = make_command(ProgramStart::kModule, words, {});
    ASSERT_FALSE(module.has_value());
    EXPECT_NE(module.error().message().find("write `muster -m"), std::string::npos);
  }
}

}  // namespace
}  // namespace muster::plan
