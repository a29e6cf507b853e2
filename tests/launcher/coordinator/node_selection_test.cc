#include "launcher/coordinator/node_selection.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace muster::launcher {
namespace {

using bench::localise::Decision;
using bench::localise::Fault;
using bench::localise::GroupOutcome;
using bench::localise::OutcomeKind;
using bench::localise::Round;
using Places = std::vector<std::uint32_t>;

// Answers rounds as machines of these speeds would, node by node.
class Machine {
 public:
  explicit Machine(std::size_t nodes) : speeds(nodes, 100.0) {}

  SelectionOptions options(std::uint32_t wanted, double minimum = 95) const {
    SelectionOptions options;
    for (std::uint32_t i = 0; i < speeds.size(); ++i) {
      options.hosts.push_back("n" + std::to_string(i));
      options.candidates.push_back(i);
    }
    options.wanted = wanted;
    bench::localise::Threshold floor;
    floor.source = bench::localise::ThresholdSource::kMinimum;
    floor.busbw = minimum;
    options.settings = [floor](std::uint32_t) {
      bench::localise::Settings settings;
      settings.world_expected.thresholds = {floor};
      return settings;
    };
    return options;
  }

  GroupOutcome measure(const NodeSelection& selection, const bench::localise::Group& group) const {
    GroupOutcome outcome;
    outcome.kind = OutcomeKind::kMeasured;
    outcome.measured.p50_busbw = 1e9;
    for (const auto& member : group.members) {
      const std::uint32_t place = selection.place_of(member.node);
      outcome.measured.p50_busbw = std::min(outcome.measured.p50_busbw, speeds[place]);
      if (speeds[place] > 0) continue;
      outcome.kind = OutcomeKind::kHung;
      outcome.silent.push_back(member.node);
    }
    return outcome;
  }

  Choice run(NodeSelection& selection) {
    NodeSelection::Next next = selection.begin();
    while (const auto* round = std::get_if<Round>(&next)) {
      ++rounds;
      std::vector<GroupOutcome> outcomes;
      for (const auto& group : round->groups) outcomes.push_back(measure(selection, group));
      next = selection.step(std::move(outcomes));
    }
    return std::get<Choice>(next);
  }

  Choice choose(std::uint32_t wanted) {
    NodeSelection selection(options(wanted));
    return run(selection);
  }

  std::vector<double> speeds;  // 0: stuck
  std::uint32_t rounds = 0;
};

Places unfit_places(const Choice& choice) {
  Places places;
  for (const Unfit& one : choice.unfit) places.push_back(one.place);
  return places;
}

TEST(NodeSelection, AFitMachineIsChosenAfterOneRoundAndTheRestAreSpares) {
  Machine machine(6);
  const Choice choice = machine.choose(4);
  EXPECT_EQ(choice.decision, Decision::kGo);
  EXPECT_EQ(choice.chosen, (Places{0, 1, 2, 3}));
  EXPECT_EQ(choice.spares, (Places{4, 5}));
  EXPECT_EQ(machine.rounds, 1u);
}

TEST(NodeSelection, WithoutSparesASlowNodeStops) {
  Machine machine(6);
  machine.speeds[3] = 60;
  const Choice choice = machine.choose(6);
  EXPECT_EQ(choice.decision, Decision::kStop);
  EXPECT_EQ(unfit_places(choice), Places{3});
  EXPECT_NEAR(choice.unfit.front().ratio, 0.6, 0.02);
  EXPECT_TRUE(choice.chosen.empty());
}

TEST(NodeSelection, WithSparesTheOthersAreMeasuredAgainWithoutTheSlowNode) {
  Machine machine(6);
  machine.speeds[1] = 60;
  const Choice choice = machine.choose(5);
  EXPECT_EQ(choice.decision, Decision::kGo) << choice.line;
  EXPECT_EQ(unfit_places(choice), Places{1});
  EXPECT_EQ(choice.chosen, (Places{0, 2, 3, 4, 5}));
}

// The faster of two slow nodes hides behind the other one, if at all.
TEST(NodeSelection, TwoSlowNodesStayOutWhereTheSparesSuffice) {
  Machine machine(8);
  machine.speeds[2] = 40;
  machine.speeds[5] = 80;
  const Choice choice = machine.choose(6);
  EXPECT_EQ(choice.decision, Decision::kGo) << choice.line;
  Places unfit = unfit_places(choice);
  std::sort(unfit.begin(), unfit.end());
  EXPECT_EQ(unfit, (Places{2, 5}));
  EXPECT_EQ(choice.chosen, (Places{0, 1, 3, 4, 6, 7}));
}

TEST(NodeSelection, AStuckNodeStaysOut) {
  Machine machine(5);
  machine.speeds[4] = 0;
  const Choice choice = machine.choose(4);
  EXPECT_EQ(choice.decision, Decision::kGo) << choice.line;
  ASSERT_EQ(choice.unfit.size(), 1u);
  EXPECT_EQ(choice.unfit.front().place, 4u);
  EXPECT_EQ(choice.unfit.front().fault, Fault::kHung);
}

TEST(NodeSelection, MoreUnfitNodesThanSparesStop) {
  Machine machine(6);
  machine.speeds[1] = machine.speeds[2] = 50;
  const Choice choice = machine.choose(5);
  EXPECT_EQ(choice.decision, Decision::kStop);
  EXPECT_EQ(unfit_places(choice), (Places{1, 2}));
}

TEST(NodeSelection, AllSlowAlikeBlamesNobody) {
  Machine machine(5);
  machine.speeds.assign(5, 50);
  const Choice choice = machine.choose(4);
  EXPECT_EQ(choice.decision, Decision::kStop) << "below the minimum";
  EXPECT_TRUE(choice.unfit.empty());
  EXPECT_NE(choice.line.find("all nodes are alike"), std::string::npos) << choice.line;
}

TEST(NodeSelection, AnIllFittedCandidateIsNotAsked) {
  Machine machine(4);
  machine.speeds[0] = 10;
  SelectionOptions options = machine.options(3);
  options.candidates = {1, 2, 3};
  NodeSelection selection(std::move(options));
  const Choice choice = machine.run(selection);
  EXPECT_EQ(choice.decision, Decision::kGo);
  EXPECT_EQ(choice.chosen, (Places{1, 2, 3}));
}

TEST(NodeSelection, ALostNodeStartsTheMeasurementAnew) {
  Machine machine(4);
  NodeSelection selection(machine.options(3));
  (void)selection.begin();
  ASSERT_TRUE(selection.can_lose(2));
  selection.lose(2, "lost: silent for 10 s");
  EXPECT_FALSE(selection.can_lose(1)) << "three are needed";
  const auto next = selection.step({GroupOutcome{}});
  const auto* round = std::get_if<Round>(&next);
  ASSERT_NE(round, nullptr);
  EXPECT_EQ(round->groups.front().members.size(), 3u);
  EXPECT_EQ(selection.searched(), (Places{0, 1, 3}));
  GroupOutcome fine;
  fine.kind = OutcomeKind::kMeasured;
  fine.measured.p50_busbw = 100;
  const auto last = selection.step({fine});
  const Choice& choice = std::get<Choice>(last);
  EXPECT_EQ(choice.chosen, (Places{0, 1, 3}));
  ASSERT_EQ(choice.unfit.size(), 1u);
  EXPECT_EQ(choice.unfit.front().evidence, "n2: lost: silent for 10 s");
}

TEST(NodeSelection, ACulpritThatIsLostBeginsNothingAnew) {
  Machine machine(6);
  machine.speeds[1] = 60;
  NodeSelection selection(machine.options(4));
  NodeSelection::Next next = selection.begin();
  while (selection.candidates().size() == 6) {
    std::vector<GroupOutcome> outcomes;
    for (const auto& group : std::get<Round>(next).groups) {
      outcomes.push_back(machine.measure(selection, group));
    }
    next = selection.step(std::move(outcomes));
  }
  ASSERT_TRUE(selection.can_lose(1));
  selection.lose(1, "lost: connection closed");
  next = selection.step({machine.measure(selection, std::get<Round>(next).groups.front())});
  ASSERT_TRUE(std::holds_alternative<Choice>(next)) << "the others were measured without it";
  EXPECT_EQ(unfit_places(std::get<Choice>(next)), Places{1});
}

// A published figure only warns; what spares there are stand in.
TEST(NodeSelection, WhereTooFewAreFitTheFitRunFirst) {
  Machine machine(8);
  machine.speeds[1] = machine.speeds[2] = machine.speeds[3] = 50;
  SelectionOptions options = machine.options(6);
  options.settings = [make = options.settings](std::uint32_t nodes) {
    bench::localise::Settings settings = make(nodes);
    settings.world_expected.thresholds.front().source =
        bench::localise::ThresholdSource::kPublished;
    return settings;
  };
  NodeSelection selection(std::move(options));
  const Choice choice = machine.run(selection);
  ASSERT_EQ(choice.decision, Decision::kWarn) << choice.line;
  ASSERT_EQ(unfit_places(choice), (Places{1, 2, 3})) << choice.line;
  EXPECT_EQ(choice.chosen, (Places{0, 1, 4, 5, 6, 7}));
  EXPECT_TRUE(choice.spares.empty()) << "the unfit stand in for nobody";
}

TEST(NodeSelection, ANodeThatIsGoneIsNotChosenWhenTheTimeIsOver) {
  Machine machine(4);
  NodeSelection selection(machine.options(3));
  (void)selection.begin();
  selection.lose(1, "lost: silent for 10 s");
  const Choice choice = selection.conclude();
  EXPECT_EQ(choice.chosen, (Places{0, 2, 3}));
  EXPECT_TRUE(choice.spares.empty());
}

TEST(NodeSelection, OneProcessAloneIsFitWhenItWasMeasured) {
  Machine machine(1);
  EXPECT_EQ(machine.choose(1).decision, Decision::kGo);
  machine.speeds[0] = 0;
  EXPECT_EQ(machine.choose(1).decision, Decision::kStop);
}

TEST(NodeSelection, OneProcessAloneCannotBeHeldToAMinimum) {
  Machine machine(1);
  SelectionOptions options = machine.options(1);
  options.settings = [](std::uint32_t) {
    bench::localise::Settings settings;
    bench::localise::Threshold floor;
    floor.source = bench::localise::ThresholdSource::kMinimum;
    floor.busbw = 1;
    settings.intra_expected.thresholds = {floor};
    return settings;
  };
  NodeSelection selection(std::move(options));
  EXPECT_EQ(machine.run(selection).decision, Decision::kNotMeasured);
}

TEST(NodeSelection, EachSearchExpectsWhatItsNumberOfNodesShouldReach) {
  Machine machine(6);
  machine.speeds[1] = 60;
  SelectionOptions options = machine.options(5);
  std::vector<std::uint32_t> asked;
  options.settings = [&asked, make = options.settings](std::uint32_t nodes) {
    asked.push_back(nodes);
    return make(nodes);
  };
  NodeSelection selection(std::move(options));
  (void)machine.run(selection);
  EXPECT_EQ(asked, (std::vector<std::uint32_t>{6, 5}));
}

TEST(NodeSelection, WhatIsKnownSoFarDecidesWhenTheTimeIsOver) {
  Machine machine(6);
  machine.speeds[3] = 60;
  NodeSelection selection(machine.options(6));
  auto next = selection.begin();
  const auto& world = std::get<Round>(next);
  next = selection.step({machine.measure(selection, world.groups.front())});
  ASSERT_TRUE(std::holds_alternative<Round>(next));
  EXPECT_EQ(selection.conclude().decision, Decision::kStop);
}

}  // namespace
}  // namespace muster::launcher
