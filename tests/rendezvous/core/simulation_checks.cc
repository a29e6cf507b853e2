// What must hold in every simulation.
#include <algorithm>

#include "tests/rendezvous/core/simulation.h"

namespace muster::rendezvous {

void Simulation::check_sent(const Wire& wire, const std::string& frame) {
  if (!wire.server_open) violate("the server sends on a closed wire");
  FrameReader reader(kMaxReplyBody);
  reader.push(frame);
  const bool is_stranger = wire.person >= people_.size() || !people_[wire.person].genuine;
  if (is_stranger && std::holds_alternative<Welcome>(*parse(**reader.next())))
    violate("a stranger is welcomed");
}

void Simulation::check_assembled(const Roster& roster) {
  tell("server: assembled generation " + std::to_string(value_of(roster.generation)));
  if (assembled_ || failed_) violate("the assembly ends twice");
  assembled_ = roster;
  if (roster.members.size() != server_options_.expected.size()) violate("a roster with gaps");
  for (const Member& member : roster.members) {
    const std::uint32_t pid = member.description.pid;
    const auto person = std::find_if(people_.begin(), people_.end(), [pid](const Person& one) {
      return one.options.self.pid == pid;
    });
    if (person == people_.end() || !person->genuine) {
      violate("a stranger in the roster");
    } else if (!person->acknowledged.contains(roster.generation)) {
      violate(person->name + " is committed without its acknowledgement");
    } else if (person->options.self != member.description) {
      violate(person->name + " is described wrongly");
    }
  }
}

void Simulation::check_committed(std::size_t index, const Roster& roster) {
  Person& person = people_[index];
  tell(person.name + " has the roster");
  if (person.roster) violate(person.name + " commits twice");
  person.roster = roster;
  if (!assembled_) violate(person.name + " commits before the server");
  if (!assembled_) return;
  Roster expected = *assembled_;
  if (!person.options.wants_members) expected.members.clear();
  if (roster != expected) violate(person.name + " commits another roster");
}

// Every member does the same few things, so that all collectives can complete.
void Simulation::begin_round(std::size_t index) {
  Person& person = people_[index];
  if (person.over || !person.roster) return;
  if (person.rounds_left == 0)
    return step_person(index, member_event::LeaveMeeting{Duration(2000)});
  const std::string round = std::to_string(person.rounds_left--);
  const std::string self = std::to_string(person.options.self.pid);
  std::vector<std::pair<std::string, Operation>> operations = {
      {"set", operation::Set{"key " + round, "value"}},
      {"get", operation::Get{"key " + round}},
      {"add", operation::Add{"sum " + round, 1}},
      {"wait", operation::Wait{{"sum " + round, "key " + round}}},
      {"gather " + round, operation::AllGather{"gather " + round, self}},
      {"barrier", operation::Barrier{"barrier " + round}},
      {"broadcast", operation::Broadcast{"broadcast " + round, MemberIndex{}, self}}};
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const RequestId request{person.rounds_left * 100 + i};
    person.open.emplace(request, operations[i].first);
  }
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const RequestId request{person.rounds_left * 100 + i};
    step_person(index, member_event::Start{request, operations[i].second, Duration(4000)});
  }
}

void Simulation::check_completed(std::size_t index, const member_effect::Completed& completed) {
  Person& person = people_[index];
  const auto entry = person.open.find(completed.request);
  if (entry == person.open.end()) return violate(person.name + ": an operation ends twice");
  const std::string what = entry->second;
  person.open.erase(entry);
  if (completed.result) {
    ++completed_well_;
    if (const auto* values = std::get_if<std::vector<std::string>>(&*completed.result)) {
      const auto [first, is_new] = gathered_.emplace(what, *values);
      if (first->second != *values) violate(person.name + ": " + what + " differs from others");
      if (values->size() != person.roster->size) violate(what + ": values are missing");
    }
  } else {
    tell(person.name + ": " + completed.result.error().message());
  }
  if (person.open.empty()) at(now_, [this, index] { begin_round(index); });
}

void Simulation::check_the_end() {
  for (const Person& person : people_) {
    if (!person.over) violate(person.name + " is stuck");
    if (!person.open.empty()) violate(person.name + ": operations never end");
    if (weather_ == Weather::kCalm && person.closed)
      violate(person.name + " failed in calm weather");
  }
  if (!assembled_ && !failed_ && !server_closed_) violate("the server is stuck");
  if (weather_ != Weather::kCalm) return;
  if (!assembled_) violate("no roster in calm weather");
  if (completed_well_ != people_.size() * 14) violate("an operation failed in calm weather");
}

void Simulation::violate(const std::string& what) {
  tell("VIOLATION: " + what);
  violations_.push_back(what);
}

void Simulation::tell(const std::string& what) {
  story_ += std::to_string(std::chrono::duration_cast<Duration>(now_.time_since_epoch()).count());
  story_ += " ms: " + what + "\n";
}

}  // namespace muster::rendezvous
