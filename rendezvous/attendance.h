// Attendance: who of the expected has come, and whether that is enough for a roster. Pure.
//
// A world is made of whole nodes: a node counts when all its expected members have joined. It is
// out when one of them is given up (lost and not back in time), until that member comes after all.
// The roster is complete when every node is either whole or out, and enough are whole: as many as
// the application needs, and in any case more than half, so that two coordinators can never both
// have enough. Every question but one costs a constant time; taking and vacating too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "rendezvous/base/ids.h"
#include "rendezvous/types.h"

namespace muster::rendezvous {

class Attendance {
 public:
  // `minimum_nodes` 0: all. A minimum of less than a majority is raised to one.
  Attendance(const std::vector<ExpectedMember>& expected, std::uint32_t minimum_nodes);

  void join(MemberIndex member);   // was not there
  void leave(MemberIndex member);  // was there
  // Only for one who is not there; its node is out until it joins.
  void give_up(MemberIndex member);
  // Gives up everybody who has not joined, on every node that is not whole.
  void give_up_absent();

  bool is_complete() const;  // the whole nodes are the world
  bool is_hopeless() const;  // too many nodes are out for the roster ever to be complete
  // Enough nodes are whole, and the rest is only slow.
  bool is_enough() const { return whole_ >= needed_; }
  bool is_in_world(MemberIndex member) const;
  // Everybody is here, or of a node that is out. Looks at all of them.
  bool is_settled() const;

  std::size_t nodes() const { return nodes_.size(); }
  std::size_t whole_nodes() const { return whole_; }
  std::size_t needed_nodes() const { return needed_; }
  const std::set<MemberIndex>& given_up() const { return given_up_; }

 private:
  struct Node {
    std::uint32_t expected = 0;
    std::uint32_t joined = 0;
    std::uint32_t given_up = 0;

    bool is_whole() const { return joined == expected; }
    bool is_out() const { return given_up > 0; }
  };
  template <class Change>
  void change(MemberIndex member, Change change);

  std::vector<std::uint32_t> node_of_;  // by member: place in nodes_
  std::vector<Node> nodes_;
  std::vector<bool> joined_;
  std::set<MemberIndex> given_up_;
  std::size_t whole_ = 0;
  std::size_t out_ = 0;
  std::size_t needed_ = 0;
};

}  // namespace muster::rendezvous
