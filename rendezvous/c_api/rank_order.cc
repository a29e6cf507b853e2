#include "rendezvous/c_api/rank_order.h"

#include <numeric>
#include <optional>

namespace muster::rendezvous {

namespace {

std::optional<std::uint32_t> claim_of(std::string_view facts) {
  if (facts.size() < kClaimSize) return std::nullopt;
  std::uint32_t rank = 0;
  for (std::size_t i = 0; i < kClaimSize; ++i)
    rank = rank << 8 | static_cast<unsigned char>(facts[i]);
  return rank;
}

std::string name_of(const Member& member) {
  return "task " + std::to_string(value_of(member.description.task)) + " of " +
         member.description.host;
}

}  // namespace

std::string facts_with_claim(std::uint32_t rank, std::string_view facts) {
  std::string text;
  for (const int shift : {24, 16, 8, 0}) text += static_cast<char>(rank >> shift & 0xff);
  text += facts;
  return text;
}

std::vector<std::uint32_t> order_of_roster(const Roster& roster) {
  std::vector<std::uint32_t> order(roster.members.size());
  std::iota(order.begin(), order.end(), 0U);
  return order;
}

Result<std::vector<std::uint32_t>> order_by_claims(const Roster& roster) {
  const std::size_t size = roster.members.size();
  std::vector<std::optional<std::uint32_t>> member_of(size);
  for (std::uint32_t member = 0; member < size; ++member) {
    const auto rank = claim_of(roster.members[member].description.facts);
    if (!rank || *rank >= size)
      return failure(ErrorCode::kInvalidArgument,
                     name_of(roster.members[member]) + " calls itself rank " +
                         (rank ? std::to_string(*rank) : "nothing") + ", expected 0 to " +
                         std::to_string(size - 1));
    if (member_of[*rank])
      return failure(ErrorCode::kInvalidArgument,
                     name_of(roster.members[*member_of[*rank]]) + " and " +
                         name_of(roster.members[member]) + " both call themselves rank " +
                         std::to_string(*rank) + "; do not overwrite SLURM_PROCID");
    member_of[*rank] = member;
  }
  std::vector<std::uint32_t> order;
  for (const auto& member : member_of) order.push_back(*member);
  return order;
}

}  // namespace muster::rendezvous
