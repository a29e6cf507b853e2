#include "launcher/coordinator/messages.h"

#include <gtest/gtest.h>

#include <random>

#include "launcher/coordinator/agent_facts.h"

namespace muster::launcher {
namespace {

WorkerEnd sample_end() {
  WorkerEnd end;
  end.place = {Rank{9}, LocalRank{1}, NodeIndex{1}, "node2"};
  end.status = process::ExitStatus::killed(11, true);
  end.start_failure = verdict::StartFailure{"exec /x: No such file", 127};
  end.when = WallTime(std::chrono::nanoseconds(123456789));
  end.clock.to_coordinator = std::chrono::nanoseconds(-5);
  end.stop_sent = WallTime(std::chrono::nanoseconds(7));
  end.error_file = "{\"message\": 1}";
  end.stderr_tail = {"one", "two"};
  return end;
}

std::vector<StoreConnection> connections() {
  return {{7, {"10.0.0.2", 40000}, {"10.0.0.1", 12001}}, {8, {"fd00::2", 1}, {"fd00::1", 2}}};
}

std::vector<Ownership> owners() {
  return {{7, Finding::kOwner, 65534}, {8, Finding::kNotTold, 0}};
}

NodeLooked looked() {
  return {LookId{1},         "{\"gpus\":[]}",  "", {"NCCL_DEBUG=INFO", "FI_PROVIDER=efa"},
          1'790'000'000'000, 1'790'000'000'900};
}

std::vector<std::string> samples() {
  return {encode(ToAgent(StartCheck{GangId{1},
                                    true,
                                    {"all_reduce", "-b", "8"},
                                    "key",
                                    {"A=b"},
                                    {{2, 12001, 6, {{0, 3}, {5, 1}}}}})),
          encode(ToAgent(StartWorkers{
              GangId{2}, Attempt{1}, 13000, true, "10.0.0.1", {"A=b"}, {NodeIndex{3}}})),
          encode(ToAgent(StopGang{GangId{2}, 15, Duration(15000), true})),
          encode(ToAgent(BecomeProgram{13000, "10.0.0.1", {"A=b"}, {NodeIndex{1}, NodeIndex{2}}})),
          encode(ToAgent(CloseJob{137})),
          encode(FromAgent(WorkerEnded{GangId{2}, sample_end()})),
          encode(FromAgent(GangFinished{GangId{1}, {"{}", ""}, 3, 1})),
          encode(FromAgent(CancelSeen{15, 99})),
          encode(FromAgent(CloseAcknowledged{})),
          encode(ToAgent(OpenStore{Attempt{2}, 29500, AdmissionMode::kNode})),
          encode(ToAgent(CloseStore{Attempt{2}})),
          encode(ToAgent(FindOwners{Attempt{2}, connections()})),
          encode(ToAgent(OwnersTold{Attempt{2}, owners()})),
          encode(FromAgent(StoreOpened{Attempt{2}, 12001})),
          encode(FromAgent(StoreFailed{Attempt{2}, "taken"})),
          encode(FromAgent(AskOwners{Attempt{2}, connections()})),
          encode(FromAgent(OwnersFound{Attempt{2}, owners()})),
          encode(ToAgent(LookAtNode{LookId{1}})),
          encode(FromAgent(looked())),
          encode(FromAgent(WorkersStarted{GangId{2}}))};
}

TEST(Messages, AStoresQuestionKeepsItsConnections) {
  const auto order = parse_to_agent(encode(ToAgent(FindOwners{Attempt{2}, connections()})));
  ASSERT_TRUE(order) << order.error().message();
  EXPECT_EQ(std::get<FindOwners>(*order), (FindOwners{Attempt{2}, connections()}));
  const auto told = parse_to_agent(encode(ToAgent(OwnersTold{Attempt{2}, owners()})));
  ASSERT_TRUE(told) << told.error().message();
  EXPECT_EQ(std::get<OwnersTold>(*told), (OwnersTold{Attempt{2}, owners()}));
}

TEST(Messages, MoreConnectionsThanOneMessageMayHoldAreRefused) {
  AskOwners question;
  question.connections.resize(kMaxStoreConnections);
  EXPECT_TRUE(parse_from_agent(encode(FromAgent(question))));
  question.connections.resize(kMaxStoreConnections + 1);
  EXPECT_FALSE(parse_from_agent(encode(FromAgent(question))));
}

TEST(Messages, ANodesLookKeepsFactsAndSettings) {
  const auto parsed = parse_from_agent(encode(FromAgent(looked())));
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(std::get<NodeLooked>(*parsed), looked());
}

TEST(Messages, TimesThatNoClockShowsAreAsIfNotTold) {
  NodeLooked message = looked();
  message.heard_us = -1;
  message.answered_us = kMaxWallUs + 1;
  const auto parsed = parse_from_agent(encode(FromAgent(message)));
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(std::get<NodeLooked>(*parsed).heard_us, 0);
  EXPECT_EQ(std::get<NodeLooked>(*parsed).answered_us, 0);
}

TEST(Messages, FactsThatAreTooLongBecomeAProblem) {
  NodeLooked message = looked();
  message.facts.assign(kMaxHealthFacts + 1, 'x');
  message.settings.assign(kMaxSettings + 1, "A=b");
  const auto parsed = parse_from_agent(encode(FromAgent(message)));
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(std::get<NodeLooked>(*parsed).facts, "");
  EXPECT_NE(std::get<NodeLooked>(*parsed).problem, "");
  EXPECT_EQ(std::get<NodeLooked>(*parsed).settings.size(), kMaxSettings);
}

TEST(Messages, RoundTrip) {
  for (const std::string& bytes : samples()) {
    const Result<ToAgent> to_agent = parse_to_agent(bytes);
    const Result<FromAgent> from_agent = parse_from_agent(bytes);
    ASSERT_NE(to_agent.has_value(), from_agent.has_value());
    EXPECT_EQ(to_agent ? encode(*to_agent) : encode(*from_agent), bytes);
  }
}

TEST(Messages, AWorkersEndKeepsItsEvidence) {
  const auto parsed = parse_from_agent(encode(FromAgent(WorkerEnded{GangId{2}, sample_end()})));
  ASSERT_TRUE(parsed);
  const WorkerEnd& end = std::get<WorkerEnded>(*parsed).end;
  EXPECT_EQ(end.place, sample_end().place);
  EXPECT_EQ(end.status, sample_end().status);
  EXPECT_EQ(end.start_failure, sample_end().start_failure);
  EXPECT_EQ(end.stop_sent, sample_end().stop_sent);
  EXPECT_EQ(end.error_file, sample_end().error_file);
  EXPECT_EQ(end.stderr_tail, sample_end().stderr_tail);
}

// The bytes of an end by signal 9, with another byte at `place` behind the worker's host.
std::string message_of_altered_end(std::size_t place, char byte) {
  WorkerEnd end;
  end.place.host = "node2";
  end.status = process::ExitStatus::killed(9);
  std::string bytes = encode(FromAgent(WorkerEnded{GangId{2}, end}));
  bytes[bytes.find("node2") + 5 + place] = byte;
  const auto parsed = parse_from_agent(bytes);
  if (!parsed) return parsed.error().message();
  return encode(*parsed) == bytes ? "" : "it is written otherwise";
}

TEST(Messages, AnEndThatNoProcessHasIsRefused) {
  constexpr std::size_t kIsSignal = 0, kNumber = 1, kCore = 5, kStartFailure = 6;
  const std::string what = "a worker's end: ";
  EXPECT_EQ(message_of_altered_end(kNumber, 64), "");
  EXPECT_EQ(message_of_altered_end(kNumber, 0), what + "killed by signal 0, expected 1 to 64");
  EXPECT_EQ(message_of_altered_end(kNumber, 65), what + "killed by signal 65, expected 1 to 64");
  EXPECT_EQ(message_of_altered_end(kIsSignal, 2),
            what + "killed by a signal is 2, expected 0 or 1");
  EXPECT_EQ(message_of_altered_end(kCore, 1), "");
  EXPECT_EQ(message_of_altered_end(kCore, 3), what + "core dumped is 3, expected 0 or 1");
  EXPECT_EQ(message_of_altered_end(kStartFailure, 9), what + "did not start is 9, expected 0 or 1");
}

TEST(Messages, ACoreWithoutASignalIsRefused) {
  WorkerEnd end = sample_end();
  end.status = process::ExitStatus::exited(3);
  std::string bytes = encode(FromAgent(WorkerEnded{GangId{2}, end}));
  bytes[bytes.find("node2") + 10] = 1;
  const auto parsed = parse_from_agent(bytes);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message(), "a worker's end: a core was dumped without a signal");
}

TEST(Messages, LongTailsAreCutToTheirLastLines) {
  WorkerEnd end = sample_end();
  end.stderr_tail.assign(kMaxTailLines + 50, std::string(2 * kMaxTailLine, 'x'));
  end.stderr_tail.back() = "last";
  const auto parsed = parse_from_agent(encode(FromAgent(WorkerEnded{GangId{2}, end})));
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(std::get<WorkerEnded>(*parsed).end.stderr_tail.size(), kMaxTailLines);
  EXPECT_EQ(std::get<WorkerEnded>(*parsed).end.stderr_tail.back(), "last");
}

TEST(Messages, MutatedBytesAreRefusedOrParsedNeverWorse) {
  const std::vector<std::string> all = samples();
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = all[random() % all.size()];
    for (auto edits = 1 + random() % 3; edits > 0 && !bytes.empty(); --edits) {
      const std::size_t place = random() % bytes.size();
      if (random() % 3 == 0) {
        bytes.erase(place, 1 + random() % 4);
      } else {
        bytes[place] = static_cast<char>(random());
      }
    }
    const auto from_agent = parse_from_agent(bytes);
    EXPECT_TRUE(!from_agent || !encode(*from_agent).empty());
    const auto to_agent = parse_to_agent(bytes);
    EXPECT_TRUE(!to_agent || !encode(*to_agent).empty());
  }
}

TEST(AgentFacts, RoundTripAndRefuseRubbish) {
  AgentFacts facts;
  facts.version = "0.1.0";
  facts.resources = {64, true, {"GPU-1", "GPU-2"}, {"GPU-1", "GPU-2", "GPU-3"}};
  facts.slots = {plan::SlotSource::kCount, 8};
  facts.has_nccl_backend = true;
  facts.addresses = {"10.0.0.1", "fd00::1"};
  facts.error = "oops";
  facts.error_exit_code = 80;
  const Result<AgentFacts> parsed = parse_agent_facts(encode(facts));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, facts);
  EXPECT_FALSE(parse_agent_facts("rubbish"));
}

}  // namespace
}  // namespace muster::launcher
