#include "launcher/coordinator/misfit.h"

#include <gtest/gtest.h>

#include "launcher/options/exit_codes.h"

namespace muster::launcher {
namespace {

constexpr std::string_view kError = "--max-restarts='many', expected a number";

// Two tasks on each of the nodes; the error of each agent, in their order.
std::optional<Misfit> misfit_of(const std::vector<std::string>& errors, std::string_view told) {
  rendezvous::Roster roster;
  for (std::uint32_t i = 0; i < errors.size(); ++i) {
    AgentFacts facts;
    facts.version = "1";
    facts.error = errors[i];
    facts.error_exit_code = options::to_int(options::ExitCode::kUsage);
    rendezvous::Member member;
    member.index = MemberIndex{i};
    member.description.node = NodeIndex{i / 2};
    member.description.task = LocalTask{i % 2};
    member.description.host = "node" + std::to_string(i / 2 + 1);
    member.description.facts = encode(facts);
    roster.members.push_back(std::move(member));
  }
  std::vector<AgentFacts> facts;
  return find_misfit(roster, told, facts);
}

std::string text_of(const std::vector<std::string>& errors, std::string_view told = "") {
  const std::optional<Misfit> misfit = misfit_of(errors, told);
  return misfit ? misfit->text : "none";
}

TEST(Misfit, AgentsWithoutErrorsAreNone) {
  EXPECT_EQ(text_of({"", "", "", ""}), "none");
}

TEST(Misfit, OneAgentsErrorNamesItsNode) {
  EXPECT_EQ(text_of({"", "", "", "no such file"}), "node2: no such file");
}

TEST(Misfit, TheSameErrorOfManyIsOneLineWithAllTheirNodes) {
  EXPECT_EQ(text_of({"no such file", "no such file", "no such file", "no such file"}),
            "node[1-2]: no such file");
}

TEST(Misfit, OtherErrorsAreToldOfByTheirNodes) {
  EXPECT_EQ(text_of({"", "no such file", "", "", "not executable", ""}),
            "node1: no such file (other errors on node3)");
}

TEST(Misfit, WhatTheUserHasReadIsNotSaidAgainWhenItIsEverybodys) {
  const std::string error(kError);
  const std::optional<Misfit> misfit = misfit_of({error, error, error, error}, kError);
  ASSERT_TRUE(misfit);
  EXPECT_EQ(misfit->text, "");
  EXPECT_EQ(misfit->exit_code, 80);
}

TEST(Misfit, WhatTheUserHasReadNamesItsNodesWhereItIsNotEverybodys) {
  const std::string error(kError);
  EXPECT_EQ(text_of({error, error, "", ""}, kError), "node1: " + error);
  EXPECT_EQ(text_of({"", "", error, ""}, ""), "node2: " + error);
}

}  // namespace
}  // namespace muster::launcher
