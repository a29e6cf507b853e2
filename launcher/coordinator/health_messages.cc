#include "launcher/coordinator/health_messages.h"

#include <algorithm>

#include "rendezvous/base/ids.h"

namespace muster::launcher {

namespace {

constexpr std::size_t kMaxText = 4096;

std::int64_t read_wall_us(ByteReader& reader) {
  const std::int64_t us = reader.i64();
  return us >= 0 && us <= kMaxWallUs ? us : 0;
}

}  // namespace

void write(ByteWriter& writer, const LookAtNode& message) {
  writer.u32(value_of(message.look));
}

void write(ByteWriter& writer, const NodeLooked& message) {
  const bool fits = message.facts.size() <= kMaxHealthFacts;
  writer.u32(value_of(message.look)).string(fits ? message.facts : "");
  writer.string(fits ? std::string_view(message.problem).substr(0, kMaxText)
                     : std::string_view("the look found more than a message may hold"));
  const std::size_t count = std::min<std::size_t>(message.settings.size(), kMaxSettings);
  writer.u32(static_cast<std::uint32_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    writer.string(std::string_view(message.settings[i]).substr(0, kMaxText));
  }
  writer.i64(message.heard_us).i64(message.answered_us);
}

LookAtNode read_look_at_node(ByteReader& reader) {
  return {LookId{reader.u32()}};
}

NodeLooked read_node_looked(ByteReader& reader) {
  NodeLooked message;
  message.look = LookId{reader.u32()};
  message.facts = reader.string(kMaxHealthFacts);
  message.problem = reader.string(kMaxText);
  const std::uint32_t count = reader.count(kMaxSettings);
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    message.settings.emplace_back(reader.string(kMaxText));
  }
  message.heard_us = read_wall_us(reader);
  message.answered_us = read_wall_us(reader);
  return message;
}

}  // namespace muster::launcher
