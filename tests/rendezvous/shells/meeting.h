// Meeting: a server and its members over real sockets on one loop, with observers that remember.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "rendezvous/server.h"
#include "rendezvous/session.h"

namespace muster::rendezvous {

// How long a test waits for what must happen. The one constant.
inline constexpr Duration kPatience = std::chrono::seconds(30);

// An incarnation that no other test process of this machine uses at the same time.
Incarnation fresh_incarnation();

// `per_node` members on each of `nodes` nodes.
std::vector<ExpectedMember> expected_members(std::uint32_t nodes, std::uint32_t per_node = 1);

bool contains(const std::string& text, std::string_view part);

struct RecordingServer final : ServerObserver {
  void on_assembled(const Roster& complete) override;
  void on_assembly_progress(const std::vector<ExpectedMember>& members, Duration) override;
  void on_assembly_failed(const Error& error) override { failed = error; }
  void on_message(MemberIndex from, std::string_view bytes) override;
  void on_member_suspect(MemberIndex member, Duration) override { suspects.insert(member); }
  void on_member_lost(const Loss& loss) override { losses.push_back(loss); }
  void on_member_left(MemberIndex member) override { left.insert(member); }
  void on_note(std::string_view line) override { notes.emplace_back(line); }

  bool noted(std::string_view part) const;

  std::optional<Roster> roster;
  std::vector<ExpectedMember> missing;
  std::optional<Error> failed;
  std::vector<std::pair<MemberIndex, std::string>> messages;
  std::set<MemberIndex> suspects;
  std::vector<Loss> losses;
  std::set<MemberIndex> left;
  std::vector<std::string> notes;
  std::function<void()> after_assembled;
};

struct RecordingMember final : SessionObserver {
  void on_roster(const Roster& complete) override { roster = complete; }
  void on_message(std::string_view bytes) override { messages.emplace_back(bytes); }
  void on_coordinator_silent(bool now_silent) override { silent = now_silent; }
  void on_closed(const Error& error) override;
  void on_note(std::string_view line) override { notes.emplace_back(line); }

  bool noted(std::string_view part) const;

  std::unique_ptr<Session> session;
  std::optional<Roster> roster;
  std::optional<Error> closed;
  std::vector<std::string> messages;
  std::vector<std::string> notes;
  bool silent = false;
  std::function<void()> after_closed;
};

class Meeting {
 public:
  explicit Meeting(std::vector<ExpectedMember> expected);

  // What tests may change before they open or join.
  ServerOptions server_options;
  SessionOptions session_options;

  Result<std::uint16_t> open_server();
  RecordingMember& join(std::size_t member);
  RecordingMember& join(const SessionOptions& options);
  RecordingMember& join_local(std::size_t member);
  SessionOptions options_of(std::size_t member) const;

  // False when it did not come true within kPatience.
  bool run_until(const std::function<bool()>& done, Duration limit = kPatience);
  bool all_have_roster();
  // Opens, lets all join (the first over connect_local) and waits for the roster.
  bool assemble();

  asio::io_context loop{1};
  RecordingServer observed;
  std::unique_ptr<Server> server;
  std::vector<std::unique_ptr<RecordingMember>> members;  // in the order they joined
};

}  // namespace muster::rendezvous
