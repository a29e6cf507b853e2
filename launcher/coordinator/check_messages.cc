#include "launcher/coordinator/check_messages.h"

#include "launcher/coordinator/string_lists.h"

#include <utility>

#include "rendezvous/base/ids.h"

namespace muster::launcher {

namespace {

constexpr std::size_t kMaxText = 4096;
constexpr std::uint32_t kMaxEnvironment = 64;  // variables of a profile

void write_group(ByteWriter& writer, const CheckGroup& group) {
  writer.u32(group.number).u16(group.port).u32(group.first_round_rank);
  writer.u32(static_cast<std::uint32_t>(group.members.size()));
  for (const ProcessRange& range : group.members) writer.u32(range.first).u32(range.count);
}

CheckGroup read_group(ByteReader& reader) {
  CheckGroup group;
  group.number = reader.u32();
  group.port = reader.u16();
  group.first_round_rank = reader.u32();
  const std::uint32_t ranges = reader.count(kMaxProcessRanges);
  for (std::uint32_t i = 0; i < ranges && !reader.failed(); ++i) {
    ProcessRange range;
    range.first = reader.u32();
    range.count = reader.u32();
    group.members.push_back(range);
  }
  return group;
}

}  // namespace

std::string check_scope(GangId gang, std::uint32_t group) {
  return "check." + std::to_string(value_of(gang)) + "." + std::to_string(group);
}

std::vector<ProcessRange> fold_ranges(const std::vector<std::uint32_t>& numbers) {
  std::vector<ProcessRange> ranges;
  for (const std::uint32_t number : numbers) {
    if (!ranges.empty() && ranges.back().first + ranges.back().count == number) {
      ++ranges.back().count;
    } else {
      ranges.push_back({number, 1});
    }
  }
  return ranges;
}

void write(ByteWriter& writer, const StartCheck& message) {
  writer.u32(value_of(message.gang)).u8(message.one_per_node ? 1 : 0);
  write_strings(writer, message.arguments);
  writer.string(message.key);
  write_strings(writer, message.environment);
  writer.u32(static_cast<std::uint32_t>(message.groups.size()));
  for (const CheckGroup& group : message.groups) write_group(writer, group);
}

StartCheck read_start_check(ByteReader& reader) {
  StartCheck message;
  message.gang = GangId{reader.u32()};
  message.one_per_node = reader.u8() != 0;
  message.arguments = read_strings(reader, kMaxArguments, kMaxText);
  message.key = reader.string(kMaxText);
  message.environment = read_strings(reader, kMaxEnvironment, kMaxText);
  const std::uint32_t groups = reader.count(kMaxCheckGroups);
  for (std::uint32_t i = 0; i < groups && !reader.failed(); ++i) {
    message.groups.push_back(read_group(reader));
  }
  return message;
}

}  // namespace muster::launcher
