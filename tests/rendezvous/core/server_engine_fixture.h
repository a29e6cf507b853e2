// A ServerEngine on a clock of the test's own: what happens is told to it, what it does is kept.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "rendezvous/server_engine.h"
#include "tests/rendezvous/core/fake_digests.h"

namespace muster::rendezvous {

class ServerEngineTest : public testing::Test {
 protected:
  static inline const Endpoint kServer{"10.0.0.1", 12000};
  static constexpr std::string_view kKey = "sixteen bytes or";

  void open(std::uint32_t members, AuthenticationMethod method = AuthenticationMethod::kNone) {
    ServerEngineOptions options = options_;
    options.incarnation = {4242, 0, 0, ""};
    options.method = method;
    options.key = kKey;
    options.uid = 1000;
    for (std::uint32_t i = 0; i < members; ++i)
      options.expected.push_back({NodeIndex{i}, LocalTask{0}, "n" + std::to_string(i)});
    ASSERT_TRUE(check_options(options));
    engine_.emplace(options, fake_digests(), now_);
  }

  void step(const ServerEvent& event) {
    for (ServerEffect& effect : engine_->step(event, now_)) {
      if (auto* send = std::get_if<SendFrame>(&effect)) {
        FrameReader reader(kMaxReplyBody);
        reader.push(*send->bytes);
        const Frame frame = **reader.next();
        said_[send->connection].push_back(*parse(frame));
      } else if (auto* note = std::get_if<Note>(&effect)) {
        notes_ += note->line + "\n";
      } else {
        effects_.push_back(std::move(effect));
      }
    }
  }
  void pass(Duration time) {
    const TimePoint end = now_ + time;
    while (now_ < end) {
      now_ = std::min(end, std::max(engine_->next_deadline(), now_ + Duration(1)));
      step(server_event::Tick{});
    }
  }
  void connect(std::uint64_t id) {
    step(server_event::Accepted{ConnectionId{id}, std::string(kNonceSize, static_cast<char>(id)),
                                kServer, "10.0.1." + std::to_string(id)});
  }
  void say(std::uint64_t id, const Message& message, Generation generation = {}) {
    const std::string bytes = encode(message, generation);
    step(server_event::Received{ConnectionId{id}, bytes});
  }
  Join join_of(std::uint64_t id, std::uint32_t node) {
    return Join{{NodeIndex{node}, LocalTask{0}, "n" + std::to_string(node),
                 static_cast<std::uint32_t>(id), ""},
                std::string(kSessionSize, static_cast<char>(id)),
                std::string(kNonceSize, 'c'),
                {},
                {},
                false,
                ""};
  }
  void join(std::uint64_t id, std::uint32_t node) {
    connect(id);
    say(id, join_of(id, node));
  }
  void assemble(std::uint32_t members) {
    open(members);
    for (std::uint32_t i = 0; i < members; ++i) join(i + 1, i);
    for (std::uint32_t i = 0; i < members; ++i) say(i + 1, Ack{}, Generation{1});
    ASSERT_EQ(count<server_effect::Assembled>(), 1u);
  }
  template <class Effect>
  std::size_t count() const {
    std::size_t found = 0;
    for (const ServerEffect& effect : effects_) found += std::holds_alternative<Effect>(effect);
    return found;
  }
  template <class Effect>
  const Effect& last() const {
    for (auto effect = effects_.rbegin(); effect != effects_.rend(); ++effect)
      if (const auto* found = std::get_if<Effect>(&*effect)) return *found;
    ADD_FAILURE() << "no such effect";
    return std::get<Effect>(effects_.at(0));  // throws: the test ends here
  }
  bool is_closed(std::uint64_t id) const {
    for (const ServerEffect& effect : effects_) {
      const auto* close = std::get_if<CloseConnection>(&effect);
      if (close != nullptr && close->connection == ConnectionId{id}) return true;
    }
    return false;
  }
  const Message& last_said(std::uint64_t id) { return said_[ConnectionId{id}].back(); }
  bool has_note(std::string_view text) const { return notes_.find(text) != std::string::npos; }

  TimePoint now_{};
  ServerEngineOptions options_;  // what a test wants otherwise
  std::optional<ServerEngine> engine_;
  std::map<ConnectionId, std::vector<Message>> said_;
  std::vector<ServerEffect> effects_;
  std::string notes_;
};

}  // namespace muster::rendezvous
