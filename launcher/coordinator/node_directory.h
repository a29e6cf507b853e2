// NodeDirectory: which node of the job has an address, and who speaks for it. Pure.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "rendezvous/base/ids.h"

namespace muster::launcher {

class NodeDirectory {
 public:
  // Loopback addresses and empty ones are passed over: every node has them.
  void add(const std::string& address, MemberIndex lead_agent);

  bool knows(const std::string& address) const;
  // Nothing for an address of no node, and for one that several nodes have (docker0's).
  std::optional<MemberIndex> lead_agent_at(const std::string& address) const;

 private:
  std::unordered_map<std::string, std::optional<MemberIndex>> lead_agents_;
};

}  // namespace muster::launcher
