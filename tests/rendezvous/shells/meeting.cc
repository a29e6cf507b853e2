#include "tests/rendezvous/shells/meeting.h"

#include <unistd.h>

#include <algorithm>

#include "rendezvous/ports.h"

namespace muster::rendezvous {

Incarnation fresh_incarnation() {
  static std::uint32_t step = 0;
  return {static_cast<std::uint64_t>(::getpid()), step++, 0, "test"};
}

std::vector<ExpectedMember> expected_members(std::uint32_t nodes, std::uint32_t per_node) {
  std::vector<ExpectedMember> expected;
  for (std::uint32_t node = 0; node < nodes; ++node) {
    for (std::uint32_t task = 0; task < per_node; ++task)
      expected.push_back({NodeIndex{node}, LocalTask{task}, "host" + std::to_string(node)});
  }
  return expected;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

namespace {

bool any_contains(const std::vector<std::string>& lines, std::string_view part) {
  return std::any_of(lines.begin(), lines.end(),
                     [part](const std::string& line) { return contains(line, part); });
}

}  // namespace

void RecordingServer::on_assembled(const Roster& complete) {
  roster = complete;
  if (after_assembled) after_assembled();
}

void RecordingServer::on_assembly_progress(const std::vector<ExpectedMember>& members, Duration) {
  missing = members;
}

void RecordingServer::on_message(MemberIndex from, std::string_view bytes) {
  messages.emplace_back(from, bytes);
}

bool RecordingServer::noted(std::string_view part) const {
  return any_contains(notes, part);
}

void RecordingMember::on_closed(const Error& error) {
  closed = error;
  if (after_closed) after_closed();
}

bool RecordingMember::noted(std::string_view part) const {
  return any_contains(notes, part);
}

Meeting::Meeting(std::vector<ExpectedMember> expected) {
  server_options.incarnation = fresh_incarnation();
  server_options.expected = std::move(expected);
  server_options.ports = candidate_ports(server_options.incarnation, {});
  server_options.authentication.method = AuthenticationMethod::kKey;
  server_options.authentication.key = "a key that all share";
  server_options.assembly_deadline = kPatience;
  session_options.incarnation = server_options.incarnation;
  session_options.successors = {{NodeIndex{}, {"127.0.0.1"}}};
  session_options.ports = server_options.ports;
  session_options.authentication = server_options.authentication;
  session_options.deadline = kPatience;
}

Result<std::uint16_t> Meeting::open_server() {
  MUSTER_TRY(opened, Server::open(loop, server_options, observed));
  server = std::move(opened);
  return server->port();
}

SessionOptions Meeting::options_of(std::size_t member) const {
  SessionOptions options = session_options;
  const ExpectedMember& expected = server_options.expected[member];
  options.self = {expected.node, expected.task, expected.host, 1000, "facts"};
  return options;
}

RecordingMember& Meeting::join(std::size_t member) {
  return join(options_of(member));
}

RecordingMember& Meeting::join(const SessionOptions& options) {
  members.push_back(std::make_unique<RecordingMember>());
  members.back()->session = Session::join(loop, options, *members.back());
  return *members.back();
}

RecordingMember& Meeting::join_local(std::size_t member) {
  Result<Fd> connection = server->connect_local();
  members.push_back(std::make_unique<RecordingMember>());
  members.back()->session =
      Session::join_local(loop, options_of(member), std::move(*connection), *members.back());
  return *members.back();
}

bool Meeting::run_until(const std::function<bool()>& done, Duration limit) {
  const TimePoint end = Clock::now() + limit;
  while (!done() && Clock::now() < end) {
    if (loop.stopped()) loop.restart();
    loop.run_one_until(end);
  }
  return done();
}

bool Meeting::all_have_roster() {
  return run_until([this] {
    return observed.roster && std::all_of(members.begin(), members.end(), [](const auto& member) {
             return member->roster.has_value();
           });
  });
}

bool Meeting::assemble() {
  if (!open_server()) return false;
  join_local(0);
  for (std::size_t i = 1; i < server_options.expected.size(); ++i) join(i);
  return all_have_roster();
}

}  // namespace muster::rendezvous
