#include "rendezvous/attendance.h"

#include <algorithm>
#include <map>

#include "rendezvous/base/check.h"

namespace muster::rendezvous {

Attendance::Attendance(const std::vector<ExpectedMember>& expected, std::uint32_t minimum_nodes)
    : joined_(expected.size()) {
  std::map<NodeIndex, std::uint32_t> places;
  node_of_.reserve(expected.size());
  for (const ExpectedMember& member : expected) {
    const auto next = static_cast<std::uint32_t>(places.size());
    const std::uint32_t place = places.emplace(member.node, next).first->second;
    node_of_.push_back(place);
    nodes_.resize(places.size());
    ++nodes_[place].expected;
  }
  const std::size_t majority = nodes_.size() / 2 + 1;
  const std::size_t wanted = minimum_nodes == 0 ? nodes_.size() : minimum_nodes;
  needed_ = std::min(std::max(wanted, majority), nodes_.size());
}

template <class Change>
void Attendance::change(MemberIndex member, Change change) {
  Node& node = nodes_[node_of_[value_of(member)]];
  if (node.is_whole()) --whole_;
  if (node.is_out()) --out_;
  change(node);
  if (node.is_whole()) ++whole_;
  if (node.is_out()) ++out_;
}

void Attendance::join(MemberIndex member) {
  MUSTER_CHECK(!joined_[value_of(member)]);
  joined_[value_of(member)] = true;
  const bool was_given_up = given_up_.erase(member) > 0;
  change(member, [was_given_up](Node& node) {
    ++node.joined;
    if (was_given_up) --node.given_up;
  });
}

void Attendance::leave(MemberIndex member) {
  MUSTER_CHECK(joined_[value_of(member)]);
  joined_[value_of(member)] = false;
  change(member, [](Node& node) { --node.joined; });
}

void Attendance::give_up(MemberIndex member) {
  MUSTER_CHECK(!joined_[value_of(member)]);
  if (!given_up_.insert(member).second) return;
  change(member, [](Node& node) { ++node.given_up; });
}

void Attendance::give_up_absent() {
  for (std::size_t i = 0; i < joined_.size(); ++i)
    if (!joined_[i]) give_up(MemberIndex{static_cast<std::uint32_t>(i)});
}

bool Attendance::is_complete() const {
  return whole_ + out_ == nodes_.size() && whole_ >= needed_;
}

bool Attendance::is_hopeless() const {
  return nodes_.size() - out_ < needed_;
}

bool Attendance::is_settled() const {
  for (std::size_t i = 0; i < joined_.size(); ++i)
    if (!joined_[i] && !nodes_[node_of_[i]].is_out()) return false;
  return true;
}

bool Attendance::is_in_world(MemberIndex member) const {
  return nodes_[node_of_[value_of(member)]].is_whole();
}

}  // namespace muster::rendezvous
