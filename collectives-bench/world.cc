#include "collectives-bench/world.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "rendezvous/base/bytes.h"

namespace muster::bench {

namespace {

constexpr std::size_t kMaxText = 1024;
constexpr std::size_t kMaxRankLines = 32;
constexpr std::string_view kGpu = "GPU ";  // only devices that are one GPU can be shared by mistake

std::string rank_label(std::span<const Member> members, std::size_t rank) {
  return fmt::format("rank {} ({})", rank, members[rank].place.host);
}

std::string node_lines(std::span<const Member> members) {
  std::map<std::uint32_t, std::vector<std::size_t>> ranks_of;
  for (std::size_t rank = 0; rank < members.size(); ++rank) {
    ranks_of[members[rank].place.node].push_back(rank);
  }
  std::string text;
  for (const auto& [node, ranks] : ranks_of) {
    const Member& first = members[ranks.front()];
    text += fmt::format("#  node {:>4} {}: {} ranks from {}, {}, {}\n", node, first.place.host,
                        ranks.size(), ranks.front(), first.device, first.network);
  }
  return text;
}

}  // namespace

std::string print_member(const Member& member) {
  ByteWriter writer;
  writer.u32(member.place.node).u32(member.place.local_rank).u32(member.pid);
  for (const std::string* text :
       {&member.place.host, &member.command, &member.device, &member.network, &member.library}) {
    writer.string(std::string_view(*text).substr(0, kMaxText));
  }
  return writer.take();
}

Result<Member> parse_member(std::string_view bytes) {
  ByteReader reader(bytes);
  Member member;
  member.place.node = reader.u32();
  member.place.local_rank = reader.u32();
  member.pid = reader.u32();
  for (std::string* text :
       {&member.place.host, &member.command, &member.device, &member.network, &member.library}) {
    *text = reader.string(kMaxText);
  }
  MUSTER_RETURN_IF_ERROR(reader.finish("member of the world"));
  return member;
}

std::vector<Place> places_of(std::span<const Member> members) {
  std::vector<Place> places;
  for (const Member& member : members) places.push_back(member.place);
  return places;
}

Status check_world(std::span<const Member> members, std::size_t expected) {
  if (members.size() != expected) {
    return failure(ErrorCode::kProtocol,
                   fmt::format("{} ranks joined, expected {}", members.size(), expected));
  }
  for (std::size_t rank = 1; rank < members.size(); ++rank) {
    if (members[rank].command == members[0].command) continue;
    return failure(
        ErrorCode::kInvalidArgument,
        fmt::format("{} was asked for '{}', rank 0 for '{}': start all ranks with the "
                    "same options",
                    rank_label(members, rank), members[rank].command, members[0].command));
  }
  return {};
}

std::vector<std::string> oddities(std::span<const Member> members) {
  std::vector<std::string> notes;
  std::map<std::pair<std::string, std::string>, std::size_t> first_on;
  for (std::size_t rank = 0; rank < members.size(); ++rank) {
    const Member& member = members[rank];
    if (member.library != members[0].library) {
      notes.push_back(fmt::format("{} uses {}, rank 0 {}", rank_label(members, rank),
                                  member.library, members[0].library));
    }
    if (!member.device.starts_with(kGpu)) continue;
    const auto [found, added] = first_on.try_emplace({member.place.host, member.device}, rank);
    if (!added) {
      notes.push_back(fmt::format("{} shares {} with rank {}", rank_label(members, rank),
                                  member.device, found->second));
    }
  }
  return notes;
}

std::string world_text(std::span<const Member> members) {
  std::set<std::uint32_t> nodes;
  for (const Member& member : members) nodes.insert(member.place.node);
  std::string text =
      fmt::format("# world: {} rank{} on {} node{}\n", members.size(),
                  members.size() == 1 ? "" : "s", nodes.size(), nodes.size() == 1 ? "" : "s");
  if (members.size() > kMaxRankLines) return text + node_lines(members);
  for (std::size_t rank = 0; rank < members.size(); ++rank) {
    const Member& member = members[rank];
    text += fmt::format("#  rank {:>4} pid {:>7} on {}: {}, {}\n", rank, member.pid,
                        member.place.host, member.device, member.network);
  }
  return text;
}

}  // namespace muster::bench
