// A job of N nodes for tests of the coordinator: feeds events, collects effects, owns the clock.
#pragma once

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "launcher/coordinator/coordinator.h"

namespace muster::launcher {

class Job {
 public:
  explicit Job(std::uint32_t nodes, const CoordinatorOptions& options = {})
      : coordinator(eight_a_node(options)) {
    for (std::uint32_t node = 0; node < nodes; ++node) {
      AgentFacts one;
      one.version = "1";
      one.resources.cores = 64;
      one.slots = {plan::SlotSource::kCount, 8};
      facts.push_back(one);
    }
  }

  // The nodes are healthy unless a test feeds Assembled itself.
  void assemble() {
    feed(Assembled{roster()});
    if (coordinator.phase() == Phase::kLooking) look_everywhere(LookId{1});
  }

  // What a node without GPUs tells.
  static NodeLooked healthy_look(LookId look) {
    health::HealthFacts facts;
    facts.taken_at_ms = 1000 * value_of(look);
    facts.driver_problem = "no NVIDIA driver is loaded";
    facts.host.memlock = health::kUnlimited;
    facts.host.nofile = 1'048'576;
    facts.host.shm_bytes = 1ULL << 40;
    facts.host.shm_leftovers = std::vector<std::string>{};
    facts.host.nics = std::vector<health::NicFacts>{};
    return {look, health::encode(facts), "", {}};
  }

  void look_everywhere(LookId look) {
    for (std::uint32_t node = 0; node < facts.size(); ++node) say(node, healthy_look(look));
  }

  rendezvous::Roster roster() const {
    rendezvous::Roster roster;
    roster.generation = Generation{1};
    for (std::uint32_t node = 0; node < facts.size(); ++node) {
      rendezvous::Member member;
      member.index = MemberIndex{node};
      member.description.node = NodeIndex{node};
      member.description.host = "node" + std::to_string(node + 1);
      member.description.facts = encode(facts[node]);
      roster.members.push_back(member);
    }
    return roster;
  }

  void feed(const Event& event) {
    for (Effect& effect : coordinator.step(event, now)) effects.push_back(std::move(effect));
  }

  void say(std::uint32_t node, FromAgent message) {
    feed(AgentSaid{MemberIndex{node}, std::move(message)});
  }

  void end_worker(std::uint32_t node, std::uint32_t local_rank, process::ExitStatus status,
                  bool stopped = false) {
    WorkerEnd end;
    end.place = {Rank{node * 8 + local_rank}, LocalRank{local_rank}, NodeIndex{node},
                 "node" + std::to_string(node + 1)};
    end.status = status;
    end.when = wall += std::chrono::seconds(1);
    if (stopped) end.stop_sent = end.when - std::chrono::milliseconds(500);
    say(node, WorkerEnded{gang(), end});
  }

  void pass_deadline() {
    ASSERT_TRUE(coordinator.next_deadline());
    now = *coordinator.next_deadline();
    feed(DeadlinePassed{});
  }

  void acknowledge_all() {
    for (std::uint32_t node = 0; node < facts.size(); ++node) say(node, CloseAcknowledged{});
  }

  void start_all() {
    for (std::uint32_t node = 0; node < facts.size(); ++node) say(node, WorkersStarted{gang()});
  }

  void finish_all() {
    for (std::uint32_t node = 0; node < facts.size(); ++node)
      say(node, GangFinished{gang(), {}, 0});
  }

  // The last StartWorkers or OpenCheckGroups told which gang is meant.
  GangId gang() const {
    GangId gang{};
    for (const Effect& effect : effects) {
      if (const auto* open = std::get_if<OpenCheckGroups>(&effect)) gang = open->gang;
      if (const auto* start = sent<StartWorkers>(effect)) gang = start->gang;
    }
    return gang;
  }

  template <class Message>
  static const Message* sent(const Effect& effect) {
    if (const auto* all = std::get_if<SendToAll>(&effect))
      return std::get_if<Message>(&all->message);
    if (const auto* one = std::get_if<SendTo>(&effect)) return std::get_if<Message>(&one->message);
    return nullptr;
  }

  template <class Message>
  std::size_t count_sent() const {
    return static_cast<std::size_t>(
        std::count_if(effects.begin(), effects.end(),
                      [](const Effect& effect) { return sent<Message>(effect) != nullptr; }));
  }

  std::string said() const {
    std::string text;
    for (const Effect& effect : effects) {
      if (const auto* line = std::get_if<Say>(&effect)) text += line->text + "\n";
    }
    return text;
  }

  // -1 until the coordinator finishes.
  int exit_code() const {
    for (const Effect& effect : effects) {
      if (const auto* finish = std::get_if<Finish>(&effect)) return finish->exit_code;
    }
    return -1;
  }

  static CoordinatorOptions eight_a_node(CoordinatorOptions options) {
    options.slots = {plan::SlotSource::kCount, 8};
    return options;
  }

  std::vector<AgentFacts> facts;
  Coordinator coordinator;
  Effects effects;
  TimePoint now{};
  WallTime wall{};
};

}  // namespace muster::launcher
