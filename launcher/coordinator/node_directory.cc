#include "launcher/coordinator/node_directory.h"

namespace muster::launcher {

void NodeDirectory::add(const std::string& address, MemberIndex lead_agent) {
  if (address.empty() || address.rfind("127.", 0) == 0 || address == "::1") return;
  const auto [place, is_new] = lead_agents_.try_emplace(address, lead_agent);
  if (!is_new && place->second != lead_agent) place->second.reset();
}

bool NodeDirectory::knows(const std::string& address) const {
  return lead_agents_.contains(address);
}

std::optional<MemberIndex> NodeDirectory::lead_agent_at(const std::string& address) const {
  const auto place = lead_agents_.find(address);
  return place == lead_agents_.end() ? std::nullopt : place->second;
}

}  // namespace muster::launcher
