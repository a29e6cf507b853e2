#include "rendezvous/doubt.h"

#include <algorithm>
#include <utility>

#include "rendezvous/generation.h"

namespace muster::rendezvous {

void AcknowledgedRosters::note(Acknowledged acknowledged) {
  const std::uint32_t epoch = epoch_of(acknowledged.generation);
  by_epoch_[epoch] = std::move(acknowledged);
}

std::uint32_t AcknowledgedRosters::promised_epoch() const {
  return by_epoch_.empty() ? 0 : by_epoch_.rbegin()->first;
}

std::vector<Acknowledged> AcknowledgedRosters::list() const {
  std::vector<Acknowledged> all;
  for (const auto& [epoch, acknowledged] : by_epoch_) all.push_back(acknowledged);
  return all;
}

void Doubts::note_joined(MemberIndex member, const std::vector<Acknowledged>& said) {
  std::vector<Generation>& generations = said_[member];
  generations.clear();
  for (const Acknowledged& each : said) {
    generations.push_back(each.generation);
    rosters_.emplace(each.generation, each.members);
  }
}

std::optional<Generation> Doubts::open(const std::function<bool(MemberIndex)>& takes_part) const {
  const auto refutes = [&](MemberIndex member, Generation generation) {
    const auto said = said_.find(member);
    return said != said_.end() && takes_part(member) &&
           std::find(said->second.begin(), said->second.end(), generation) == said->second.end();
  };
  for (auto roster = rosters_.rbegin(); roster != rosters_.rend(); ++roster) {
    bool refuted = false;
    for (std::uint32_t i = 0; i < expected_ && !refuted; ++i)
      refuted = roster->second.contains(MemberIndex{i}) && refutes(MemberIndex{i}, roster->first);
    if (!refuted) return roster->first;
  }
  return std::nullopt;
}

}  // namespace muster::rendezvous
