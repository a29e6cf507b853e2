// Blocking calls in a child process: answers, deadlines, deaths.
#include "rendezvous/sidecar.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "rendezvous/helper_process.h"
#include "tests/rendezvous/shells/meeting.h"

namespace muster::rendezvous {
namespace {

class SidecarTest : public testing::Test {
 protected:
  std::optional<Result<SidecarAnswer>> call(const SidecarCall& wish) {
    std::optional<Result<SidecarAnswer>> answer;
    sidecar_.call(wish, [&](Result<SidecarAnswer> got) { answer = std::move(got); });
    const TimePoint end = Clock::now() + kPatience;
    while (!answer && Clock::now() < end) loop_.run_one_until(end);
    return answer;
  }

  asio::io_context loop_{1};
  std::vector<std::string> stuck_;
  Sidecar sidecar_{loop_,
                   {.call_limit = std::chrono::seconds(2),  // a sanitized child starts within it
                    .host = "node1",
                    .on_stuck = [this](const Error& e) { stuck_.push_back(e.message()); }}};
};

bool process_exists(pid_t pid) {
  return pid > 0 && ::kill(pid, 0) == 0;
}

// A sidecar that did not start has the pid -1, which means every process of the machine to kill(2).
void send_signal(pid_t pid, int signal) {
  ASSERT_GT(pid, 0) << "no sidecar runs: is MUSTER_LIBEXEC_DIR set?";
  ASSERT_EQ(::kill(pid, signal), 0);
}

TEST_F(SidecarTest, LooksUpNames) {
  const auto answer = call(LookUpHosts{{"localhost", "no-such-host.invalid"}});
  ASSERT_TRUE(answer && *answer);
  const auto& hosts = std::get<LookedUpHosts>(**answer).hosts;
  ASSERT_EQ(hosts.size(), 2u);
  ASSERT_FALSE(hosts[0].addresses.empty());
  EXPECT_EQ(hosts[0].addresses[0].kind, AddressKind::kLoopback);
  EXPECT_FALSE(hosts[1].error.empty());
}

TEST_F(SidecarTest, SaysWhereItLookedForMunged) {
  const auto answer = call(MungeEncode{"/no/such/munge.socket", "payload"});
  ASSERT_TRUE(answer);
  ASSERT_FALSE(*answer);
  EXPECT_TRUE(contains(answer->error().message(), "no munged at /no/such/munge.socket") ||
              contains(answer->error().message(), "this build was made without it"))
      << answer->error().message();
}

TEST_F(SidecarTest, IsStartedAgainAfterItsDeath) {
  ASSERT_TRUE(call(LookUpHosts{{"localhost"}}));
  const pid_t first = sidecar_.pid();
  ASSERT_NO_FATAL_FAILURE(send_signal(first, SIGKILL));
  const auto answer = call(LookUpHosts{{"localhost"}});
  ASSERT_TRUE(answer && *answer);
  EXPECT_NE(sidecar_.pid(), first);
}

TEST_F(SidecarTest, ThatHangsIsReplaced) {
  ASSERT_TRUE(call(LookUpHosts{{"localhost"}}));
  const pid_t first = sidecar_.pid();
  ASSERT_NO_FATAL_FAILURE(send_signal(first, SIGSTOP));
  const auto answer = call(LookUpHosts{{"localhost"}});
  ASSERT_TRUE(answer && *answer);
  EXPECT_NE(sidecar_.pid(), first);
  EXPECT_FALSE(process_exists(first));
  EXPECT_EQ(stuck_, (std::vector<std::string>{
                        "the helper process muster-rendezvous (pid " + std::to_string(first) +
                        ") on node1 did not answer within 2 s: name lookup hangs there (getent "
                        "hosts localhost)"}));
}

TEST_F(SidecarTest, IgnoresSignalsMeantForTheStep) {
  ASSERT_TRUE(call(LookUpHosts{{"localhost"}}));
  const pid_t pid = sidecar_.pid();
  ASSERT_NO_FATAL_FAILURE(send_signal(pid, SIGTERM));
  ASSERT_NO_FATAL_FAILURE(send_signal(pid, SIGINT));
  ASSERT_TRUE(call(LookUpHosts{{"localhost"}}));
  EXPECT_EQ(sidecar_.pid(), pid);
}

TEST_F(SidecarTest, IsGoneAfterStop) {
  ASSERT_TRUE(call(LookUpHosts{{"localhost"}}));
  const pid_t pid = sidecar_.pid();
  sidecar_.stop();
  EXPECT_EQ(sidecar_.pid(), -1);
  EXPECT_FALSE(process_exists(pid));
}

TEST(HelperProgram, EndsWhenItsParentsEndCloses) {
  const auto program = find_helper_program();
  ASSERT_TRUE(program) << program.error().message();
  auto child = HelperProcess::spawn(*program, "sidecar", HelperProcess::Stderr::kNull);
  ASSERT_TRUE(child);
  child->take_socket().reset();
  EXPECT_TRUE(child->wait_for_end(kPatience));
}

TEST(HelperProgram, InheritsNothingButItsSocket) {
  const auto program = find_helper_program();
  ASSERT_TRUE(program);
  // Not close-on-exec on purpose, and a number that the child does not use for itself.
  const Fd leaky(::fcntl(STDERR_FILENO, F_DUPFD, 500));
  ASSERT_TRUE(leaky.is_open());
  auto child = HelperProcess::spawn(*program, "sidecar", HelperProcess::Stderr::kNull);
  ASSERT_TRUE(child);
  const std::string path = "/proc/" + std::to_string(child->pid()) + "/fd/";
  EXPECT_EQ(::access((path + "0").c_str(), F_OK), 0);
  EXPECT_NE(::access((path + std::to_string(leaky.get())).c_str(), F_OK), 0);
}

TEST(HelperProgram, ThatIsMissingIsNamedWithTheCure) {
  const auto found = find_helper_program({{"MUSTER_LIBEXEC_DIR", "/no/such/dir"}});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message(),
            "muster-rendezvous is not there (tried /no/such/dir/muster-rendezvous); set "
            "MUSTER_LIBEXEC_DIR to the directory that holds it");
}

TEST(HelperProgram, IsLookedForInEachPlaceOnce) {
  const auto found = find_helper_program(Environment());
  if (found) GTEST_SKIP() << "there is one beside this test, or installed: " << *found;
  const std::string& text = found.error().message();
  const std::size_t begin = text.find("(tried ") + 7;
  std::istringstream tried(text.substr(begin, text.find(')') - begin));
  std::set<std::filesystem::path> places;
  for (std::string path; std::getline(tried >> std::ws, path, ',');) {
    EXPECT_TRUE(places.insert(std::filesystem::weakly_canonical(path)).second) << text;
  }
  EXPECT_GE(places.size(), 2u) << text;
}

TEST(Names, AreLookedUpForTheCoordinatorsHost) {
  Meeting meeting(expected_members(1, 2));
  meeting.server_options.bind_address = "127.0.0.1";
  meeting.session_options.successors = {{NodeIndex{}, {"localhost"}}};
  EXPECT_TRUE(meeting.assemble());
}

TEST(Names, ThatLeadToLoopbackOnAnotherNodeAreNamedAsTheCause) {
  Meeting meeting(expected_members(2));
  meeting.session_options.successors = {{NodeIndex{}, {"localhost"}}};
  meeting.session_options.deadline = std::chrono::milliseconds(700);
  ASSERT_TRUE(meeting.open_server());
  RecordingMember& member = meeting.join(1);
  ASSERT_TRUE(meeting.run_until([&] { return member.closed.has_value(); }));
  EXPECT_TRUE(contains(member.closed->message(), "a loopback address (see /etc/hosts)"))
      << member.closed->message();
}

}  // namespace
}  // namespace muster::rendezvous
