// Those who look what is there: scanners of every kind, and agents of another job that walk the
// same ports.
#include <gtest/gtest.h>

#include <random>

#include "tests/rendezvous/hostility/stranger.h"

namespace muster::rendezvous {
namespace {

constexpr std::size_t kHandful = 12;  // lines, whatever comes

// The first bytes of what really knocks at open ports.
std::vector<std::string> greetings_of_scanners() {
  std::mt19937 random(3);
  std::string noise;
  for (int i = 0; i < 5000; ++i) noise.push_back(static_cast<char>(random()));
  return {
      "GET / HTTP/1.1\r\nHost: node1\r\nUser-Agent: scanner\r\n\r\n",
      std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(506, '\x5a'),
      "SSH-2.0-OpenSSH_9.2\r\n",
      std::string("\x00\x00\x00\x55\xff\x53\x4d\x42\x72", 9),
      "*1\r\n$4\r\nPING\r\n",
      "\r\n\r\n",
      noise};
}

TEST(Scanners, OfEveryKindAreClosedInAHandfulOfLines) {
  Meeting meeting(expected_members(2));
  const auto port = meeting.open_server();
  ASSERT_TRUE(port);
  meeting.join_local(0);
  for (int round = 0; round < 40; ++round) {
    std::vector<std::unique_ptr<Stranger>> scanners;
    for (const std::string& bytes : greetings_of_scanners()) {
      scanners.push_back(std::make_unique<Stranger>(*port));
      scanners.back()->say(bytes);
      scanners.back()->close_half();
    }
    ASSERT_TRUE(meeting.run_until([&] {
      for (const auto& scanner : scanners)
        if (!scanner->is_closed()) return false;
      return true;
    }));
  }
  meeting.join(1);
  ASSERT_TRUE(meeting.all_have_roster());
  EXPECT_TRUE(works(meeting));
  EXPECT_LE(meeting.observed.notes.size(), kHandful);
  EXPECT_TRUE(meeting.observed.noted("127.0.0.1"));
  EXPECT_TRUE(meeting.observed.noted("such remarks"));  // the flood is counted, not hidden
}

TEST(Scanners, DuringTheJobDisturbNobody) {
  Meeting meeting(expected_members(2));
  ASSERT_TRUE(meeting.assemble());
  for (const std::string& bytes : greetings_of_scanners()) {
    Stranger scanner(meeting.server->port());
    scanner.say(bytes);
    EXPECT_TRUE(works(meeting));
  }
  EXPECT_TRUE(meeting.observed.losses.empty());
}

TEST(AnotherJobsAgents, AtTheSamePortsWalkPast) {
  Meeting meeting(expected_members(3));
  ASSERT_TRUE(meeting.open_server());
  meeting.join_local(0);
  SessionOptions others = meeting.options_of(1);
  ++others.incarnation.job;
  others.deadline = std::chrono::seconds(3);
  std::vector<RecordingMember*> strangers;
  for (int i = 0; i < 20; ++i) strangers.push_back(&meeting.join(others));
  RecordingMember& first = meeting.join(1);
  RecordingMember& second = meeting.join(2);
  ASSERT_TRUE(
      meeting.run_until([&] { return meeting.observed.roster && first.roster && second.roster; }));
  ASSERT_TRUE(meeting.run_until([&] {
    for (const RecordingMember* stranger : strangers)
      if (!stranger->closed) return false;
    return true;
  }));
  for (const RecordingMember* stranger : strangers) {
    EXPECT_FALSE(stranger->roster);
    EXPECT_TRUE(contains(stranger->closed->message(), "serves")) << stranger->closed->message();
  }
  EXPECT_LE(meeting.observed.notes.size(), kHandful);
}

}  // namespace
}  // namespace muster::rendezvous
