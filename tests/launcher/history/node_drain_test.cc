#include "launcher/history/node_drain.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rendezvous/base/fd.h"
#include "tests/launcher/history/temporary_folder.h"

namespace muster::history {
namespace {

using Lines = std::vector<std::string>;

constexpr Duration kPlenty{60'000};
constexpr Duration kLate{2'000};

// A folder with a program `scontrol` of our own.
class NodeDrain : public ::testing::Test {
 protected:
  void write_scontrol(const std::string& script) {
    const std::string path = folder_.write("scontrol", "#!/bin/sh\n" + script);
    ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
  }

  Lines run(const std::vector<slurm::NodeCommand>& commands, Duration limit = kPlenty) const {
    const Environment environment{{"PATH", folder_.file("") + ":/usr/bin:/bin"},
                                  {"OUT", folder_.file("out")}};
    return run_node_commands(commands, environment, process::OriginalLimits::capture(), limit);
  }

  const std::vector<slurm::NodeCommand> commands_ =
      slurm::node_commands({{"node1", "it's 'slow'; $(id)"}, {"node2", "hung"}}, {false, 7});
  TemporaryFolder folder_;
};

TEST_F(NodeDrain, RunsEachCommandWithItsWordsAsTheyAre) {
  write_scontrol("for word; do echo \"<$word>\"; done >>\"$OUT\"\n");
  EXPECT_EQ(run(commands_), (Lines{"drain: " + commands_[0].text + ": done",
                                   "drain: " + commands_[1].text + ": done"}));
  EXPECT_EQ(content_of(folder_.file("out")),
            "<update>\n<nodename=node1>\n<state=drain>\n"
            "<reason=muster: it's 'slow'; ?(id) (job 7)>\n"
            "<update>\n<nodename=node2>\n<state=drain>\n<reason=muster: hung (job 7)>\n");
}

TEST_F(NodeDrain, TellsWhyACommandFailedAndRunsTheNext) {
  write_scontrol(
      "case $2 in *node1) echo 'slurm_update error: Invalid user id' >&2; echo more; exit 1;; "
      "esac");
  const Lines lines = run(commands_);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0],
            "drain: " + commands_[0].text + ": exit code 1: slurm_update error: Invalid user id");
  EXPECT_TRUE(lines[1].ends_with(": done")) << lines[1];
}

TEST_F(NodeDrain, TellsASignal) {
  write_scontrol("kill -9 $$");
  EXPECT_TRUE(run(commands_).front().ends_with(": signal 9 (SIGKILL)"));
}

TEST_F(NodeDrain, TellsThatThereIsNoScontrol) {
  const Environment nothing{{"PATH", folder_.file("")}};
  const Lines lines = run_node_commands(commands_, nothing, process::OriginalLimits::capture());
  EXPECT_TRUE(lines.front().ends_with(": scontrol: not found in PATH")) << lines.front();
}

TEST_F(NodeDrain, TellsThatScontrolCannotStart) {
  folder_.write("scontrol", "#!/no/such/shell\n");
  ASSERT_EQ(::chmod(folder_.file("scontrol").c_str(), 0755), 0);
  const std::string line = run(commands_).front();
  EXPECT_NE(line.find("the interpreter named in its first line does not exist"), std::string::npos)
      << line;
}

// The command alone holds a pipe open for writing; its end tells that the command is gone.
TEST_F(NodeDrain, KillsACommandThatIsLate) {
  const std::string path = folder_.file("fifo");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const Fd fifo(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  write_scontrol("exec >'" + path + "'; echo x; exec sleep 1000");
  const Lines lines = run({commands_[0]}, kLate);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].ends_with(": did not answer in 2 s")) << lines[0];
  std::string told;
  char byte = 0;
  pollfd readable{fifo.get(), POLLIN, 0};
  while (::poll(&readable, 1, static_cast<int>(kPlenty.count())) == 1 &&
         ::read(fifo.get(), &byte, 1) == 1) {
    told += byte;
  }
  EXPECT_EQ(told, "x\n");
  EXPECT_NE(readable.revents & POLLHUP, 0) << "the command still runs";
}

TEST_F(NodeDrain, IsNotHeldUpByAFlood) {
  write_scontrol("head -c 5000000 /dev/zero | tr '\\0' x; exit 3");
  const std::string line = run({commands_[0]}).front();
  EXPECT_NE(line.find(": exit code 3: xxx"), std::string::npos) << line;
  EXPECT_LE(line.size(), commands_[0].text.size() + kMaxComplaint + 20);
}

}  // namespace
}  // namespace muster::history
