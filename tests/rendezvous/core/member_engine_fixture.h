// A MemberEngine on a clock of the test's own: what happens is told to it, what it does is kept.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "rendezvous/member_engine.h"
#include "tests/rendezvous/core/fake_digests.h"

namespace muster::rendezvous {

class MemberEngineTest : public testing::Test {
 protected:
  static constexpr std::string_view kKey = "sixteen bytes or";

  void begin(AuthenticationMethod method = AuthenticationMethod::kNone) {
    MemberEngineOptions options = options_;
    options.incarnation = {4242, 0, 0, ""};
    options.self = {NodeIndex{0}, LocalTask{0}, "n0", 1, ""};
    options.method = method;
    options.key = kKey;
    options.session = std::string(kSessionSize, 's');
    options.wants_members = wants_members_;
    ASSERT_TRUE(check_options(options));
    engine_.emplace(options, fake_digests(), now_);
    take(engine_->begin());
  }
  void step(const MemberEvent& event) { take(engine_->step(event, now_)); }
  void take(MemberEffects effects) {
    for (MemberEffect& effect : effects) {
      if (auto* send = std::get_if<SendFrame>(&effect)) {
        FrameReader reader(kMaxReplyBody);
        reader.push(*send->bytes);
        said_.push_back(*parse(**reader.next()));
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
      step(member_event::Tick{});
    }
  }
  void connect(std::uint64_t id, std::string address = "10.0.0.1") {
    step(member_event::Connected{ConnectionId{id},
                                 {std::move(address), 12000},
                                 "10.0.0.2",
                                 std::string(kNonceSize, 'c'),
                                 std::string(kDigestSize, 'k'),
                                 false});
  }
  void hear(std::uint64_t id, const Message& message, Generation generation = {}) {
    const std::string bytes = encode(message, generation);
    step(member_event::Received{ConnectionId{id}, bytes});
  }
  static Greeting greeting(AuthenticationMethod method = AuthenticationMethod::kNone) {
    return {{4242, 0, 0, ""}, NodeIndex{0}, 0, method, std::string(kNonceSize, 'n')};
  }
  static Members members() {
    return {{{MemberIndex{0}, {NodeIndex{0}, LocalTask{0}, "n0", 1, ""}, "10.0.0.2"}}};
  }
  static Prepare prepare() {
    return {NodeIndex{0}, 0, SeatSet::all(),
            "127.0.0.1",  1, fake_digests().sha256(encode_body(members()))};
  }
  void hear_roster(std::uint64_t id, Generation generation) {
    hear(id, prepare(), generation);
    hear(id, members(), generation);
  }
  void be_committed() {
    begin();
    connect(1);
    hear(1, greeting());
    hear(1, Welcome{MemberIndex{0}, 1, ""});
    hear_roster(1, Generation{1});
    hear(1, Commit{}, Generation{1});
    ASSERT_EQ(count<member_effect::RosterCommitted>(), 1u);
  }
  template <class Effect>
  std::size_t count() const {
    std::size_t found = 0;
    for (const MemberEffect& effect : effects_) found += std::holds_alternative<Effect>(effect);
    return found;
  }
  template <class Effect>
  const Effect* last() const {
    for (auto effect = effects_.rbegin(); effect != effects_.rend(); ++effect)
      if (const auto* found = std::get_if<Effect>(&*effect)) return found;
    return nullptr;
  }
  std::string end() const {
    const auto* closed = last<member_effect::Closed>();
    return closed == nullptr ? "(not closed)" : closed->error.message();
  }
  bool is_closed(std::uint64_t id) const {
    for (const MemberEffect& effect : effects_) {
      const auto* close = std::get_if<CloseConnection>(&effect);
      if (close != nullptr && close->connection == ConnectionId{id}) return true;
    }
    return false;
  }
  bool has_note(std::string_view text) const { return notes_.find(text) != std::string::npos; }

  TimePoint now_{};
  bool wants_members_ = true;
  MemberEngineOptions options_;  // what a test wants otherwise
  std::optional<MemberEngine> engine_;
  std::vector<Message> said_;
  std::vector<MemberEffect> effects_;
  std::string notes_;
};

}  // namespace muster::rendezvous
