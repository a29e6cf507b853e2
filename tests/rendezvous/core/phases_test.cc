// Walks the three tables, and compares them with what MEMBERSHIP.md prints.
#include "rendezvous/phases.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

namespace muster::rendezvous {
namespace {

template <class Table>
std::string rows_of(const Table& table) {
  std::string rows;
  for (const auto& transition : table) {
    if (to_string(transition.action) == "impossible") continue;
    rows += "| " + std::string(to_string(transition.from)) + " | ";
    rows += std::string(to_string(transition.event)) + " | ";
    rows += std::string(to_string(transition.to)) + " | ";
    rows += std::string(to_string(transition.action)) + " |\n";
  }
  return rows;
}

template <class Table>
void expect_complete(const Table& table, std::size_t phases, std::size_t events) {
  std::set<std::pair<std::string_view, std::string_view>> pairs;
  for (const auto& transition : table) {
    pairs.emplace(to_string(transition.from), to_string(transition.event));
    const bool is_impossible = to_string(transition.action) == "impossible";
    EXPECT_TRUE(!is_impossible || transition.from == transition.to);
    EXPECT_EQ(&find_transition(table, transition.from, transition.event), &transition);
  }
  EXPECT_EQ(pairs.size(), phases * events);
}

// From every phase there is a way to the last one, so that no phase can hold a session for ever.
template <class Phase, class Table>
void expect_an_end_from_everywhere(const Table& table, Phase last) {
  std::set<Phase> ends = {last};
  for (std::size_t round = 0; round < table.size(); ++round)
    for (const auto& transition : table)
      if (ends.contains(transition.to)) ends.insert(transition.from);
  for (const auto& transition : table)
    EXPECT_TRUE(ends.contains(transition.from)) << to_string(transition.from);
  for (const auto& transition : table)
    EXPECT_TRUE(transition.from != last || transition.to == last);
}

std::string page() {
  std::ifstream file(MUSTER_RENDEZVOUS_DIR "/MEMBERSHIP.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Phases, EveryPairOfPhaseAndEventStandsInItsTableOnce) {
  expect_complete(kAssemblyTable, 4, 6);
  expect_complete(kDoorTable, 4, 7);
  expect_complete(kMemberTable, 7, 11);
}

TEST(Phases, EveryPhaseCanEnd) {
  expect_an_end_from_everywhere(kAssemblyTable, AssemblyPhase::kOver);
  expect_an_end_from_everywhere(kDoorTable, DoorPhase::kClosed);
  expect_an_end_from_everywhere(kMemberTable, MemberPhase::kOver);
}

TEST(Phases, ACommitFollowsOnlyAPreparationThatAllAcknowledged) {
  for (const auto& transition : kAssemblyTable) {
    if (transition.to != AssemblyPhase::kCommitted || transition.from == AssemblyPhase::kCommitted)
      continue;
    EXPECT_EQ(transition.from, AssemblyPhase::kPreparing);
    EXPECT_EQ(transition.event, AssemblyEvent::kAllAcknowledged);
  }
}

TEST(Phases, ThePagePrintsTheTables) {
  EXPECT_NE(page().find(rows_of(kAssemblyTable)), std::string::npos) << rows_of(kAssemblyTable);
  EXPECT_NE(page().find(rows_of(kDoorTable)), std::string::npos) << rows_of(kDoorTable);
  EXPECT_NE(page().find(rows_of(kMemberTable)), std::string::npos) << rows_of(kMemberTable);
}

}  // namespace
}  // namespace muster::rendezvous
