// A Group over real processes, and members that the kernel keeps alive while they are mute.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "rendezvous/group.h"
#include "rendezvous/sockets.h"
#include "tests/rendezvous/shells/meeting.h"

namespace muster::rendezvous {
namespace {

// One group_member process.
class MemberProcess {
 public:
  MemberProcess(const JoinOptions& options, std::string task) {
    Environment environment = Environment::from_block(::environ);
    const Environment group = group_environment(options);
    for (const auto& [name, value] : group.variables()) environment.set(name, value);
    std::vector<std::string> strings = environment.to_strings();
    std::vector<char*> block;
    for (std::string& entry : strings) block.push_back(entry.data());
    block.push_back(nullptr);
    std::string program = GROUP_MEMBER_PROGRAM;
    char* const arguments[] = {program.data(), task.data(), nullptr};
    EXPECT_EQ(::posix_spawn(&pid_, program.c_str(), nullptr, nullptr, arguments, block.data()), 0);
  }
  ~MemberProcess() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  MemberProcess(MemberProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

  void signal(int number) const { ::kill(pid_, number); }

  // 128 + N when it died by signal N; -1 when it still ran after kPatience.
  int exit_code() {
    const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    pollfd ended{pidfd.get(), POLLIN, 0};
    if (::poll(&ended, 1, static_cast<int>(kPatience.count())) != 1) return -1;
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
};

JoinOptions group_of(std::uint32_t nodes, std::uint32_t per_node) {
  JoinOptions options;
  const Meeting names(expected_members(nodes, per_node));
  options.incarnation = names.server_options.incarnation;
  options.expected = names.server_options.expected;
  options.coordinator_hosts = {"127.0.0.1"};
  options.ports = names.server_options.ports;
  options.authentication = names.server_options.authentication;
  options.deadline = kPatience;
  return options;
}

JoinOptions member_of(const JoinOptions& group, std::size_t member) {
  JoinOptions options = group;
  const ExpectedMember& self = group.expected[member];
  options.self = {self.node, self.task, self.host, 0, ""};
  options.host_server = member == 0;
  return options;
}

TEST(GroupProcesses, MeetThroughAServerOfTheFirstOne) {
  const JoinOptions group = group_of(2, 3);
  std::vector<MemberProcess> processes;
  for (std::size_t i = 0; i < 6; ++i) processes.emplace_back(member_of(group, i), "everything");
  for (MemberProcess& process : processes) EXPECT_EQ(process.exit_code(), 0);
  // The first one left last, so the server is gone and its port is free.
  EXPECT_TRUE(listen_on("", group.ports[0]));
}

TEST(GroupProcesses, LearnThatOneDied) {
  const JoinOptions group = group_of(3, 1);
  MemberProcess host(member_of(group, 0), "stay");
  MemberProcess dies(member_of(group, 1), "die");
  MemberProcess other(member_of(group, 2), "stay");
  EXPECT_EQ(dies.exit_code(), 9);
  EXPECT_EQ(other.exit_code(), 1);
  EXPECT_EQ(host.exit_code(), 1);
}

TEST(GroupProcesses, LearnThatTheHostOfTheServerDied) {
  const JoinOptions group = group_of(2, 1);
  MemberProcess host(member_of(group, 0), "die");
  MemberProcess other(member_of(group, 1), "stay");
  EXPECT_EQ(host.exit_code(), 9);
  EXPECT_EQ(other.exit_code(), 1);
}

TEST(Group, SaysWhichPortsWereTakenWhenItsServerCannotStart) {
  JoinOptions options = member_of(group_of(1, 1), 0);
  options.ports.resize(1);
  const auto taken = listen_on("", options.ports[0]);
  ASSERT_TRUE(taken);
  const auto group = Group::join(options);
  ASSERT_FALSE(group);
  EXPECT_TRUE(contains(group.error().message(), "no port is free")) << group.error().message();
}

TEST(Group, OfOneNeedsNobodyElse) {
  auto group = Group::join(member_of(group_of(1, 1), 0));
  ASSERT_TRUE(group) << group.error().message();
  EXPECT_EQ(group->size(), 1u);
  EXPECT_TRUE(group->barrier(kPatience));
  EXPECT_EQ(group->all_gather("x", kPatience).value(), std::vector<std::string>{"x"});
  EXPECT_TRUE(group->leave(kPatience));
}

TEST(StoppedMember, IsSuspectButNotLostAndComesBack) {
  Meeting meeting(expected_members(2));
  meeting.server_options.suspect_after = std::chrono::seconds(2);
  meeting.server_options.lost_after = std::chrono::seconds(3);
  ASSERT_TRUE(meeting.open_server());
  meeting.join_local(0);
  JoinOptions options = member_of(group_of(2, 1), 1);
  options.incarnation = meeting.server_options.incarnation;
  options.ports = meeting.server_options.ports;
  const MemberProcess process(options, "stay");
  ASSERT_TRUE(meeting.run_until([&] { return meeting.observed.roster.has_value(); }));
  process.signal(SIGSTOP);
  ASSERT_TRUE(meeting.run_until([&] { return meeting.observed.suspects.count(MemberIndex{1}); }));
  // Beyond lost_after, with data on the way to it: its kernel acknowledges.
  meeting.run_until([&] { return !meeting.observed.losses.empty(); }, std::chrono::seconds(5));
  EXPECT_TRUE(meeting.observed.losses.empty());
  process.signal(SIGCONT);
  std::optional<Status> met;
  meeting.members[0]->session->barrier("barrier.0", kPatience,
                                       [&](Status status) { met = std::move(status); });
  ASSERT_TRUE(meeting.run_until([&] { return met.has_value(); }));
  EXPECT_TRUE(*met) << met->error().message();
}

}  // namespace
}  // namespace muster::rendezvous
