// Text: how members and durations are written in one line for people. Pure.
#pragma once

#include <string>
#include <vector>

#include "rendezvous/base/time.h"
#include "rendezvous/types.h"

namespace muster::rendezvous {

inline constexpr std::size_t kMaxNames = 1000;  // characters of a list of hosts or members

// "node[001-003,007],login": neighbours in the list that differ only in a number of the same width
// are folded. Cut at kMaxNames with "and N more" for the hosts left out.
std::string fold_hosts(const std::vector<std::string>& hosts);

// The same for members: hosts that miss the same local tasks together. When nobody in `all` has a
// task other than 0, tasks are not mentioned: "node[003-004] (tasks 0-7), node007 (task 3)".
std::string fold_members(const std::vector<ExpectedMember>& members,
                         const std::vector<ExpectedMember>& all);

// "node002 task 3 (member 19)"
std::string name_member(const Member& member);

// "15 s", "0.25 s"
std::string seconds_text(Duration duration);

// At most `limit` bytes of `text`, with "..." at the end where something was cut.
std::string clipped(std::string text, std::size_t limit);

}  // namespace muster::rendezvous
