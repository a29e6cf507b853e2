#include <charconv>
#include <limits>
#include <string_view>

#include "rendezvous/group.h"
#include "rendezvous/group_variables.h"
#include "rendezvous/messages.h"
#include "rendezvous/serve_messages.h"

namespace muster::rendezvous {

namespace {

// "4242/0/0/check.0": the scope last, it may hold anything.
std::string id_text(const Incarnation& id) {
  return std::to_string(id.job) + "/" + std::to_string(id.step) + "/" +
         std::to_string(id.restart_count) + "/" + id.scope;
}

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// The text before the first `separator`, which is taken off `text` with it; all of it without one.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view first = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return first;
}

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ",") + item;
  return text;
}

// Reads the variables; remembers the first that is broken.
class VariableReader {
 public:
  explicit VariableReader(const Environment& environment) : environment_(environment) {}

  std::string text(const char* name) {
    const auto value = environment_.get(name);
    if (!value) complain(name, "is missing");
    return std::string(value.value_or(""));
  }
  template <class Number>
  Number number(const char* name) {
    Number value{};
    const std::string given = text(name);
    if (!parse_number(given, value)) complain(name, "is '" + given + "', expected a number");
    return value;
  }
  void complain(const std::string& name, const std::string& what) {
    if (complaint_.empty()) complaint_ = name + " " + what;
  }
  const std::string& complaint() const { return complaint_; }

 private:
  const Environment& environment_;
  std::string complaint_;
};

Incarnation id_of(VariableReader& in) {
  const std::string given = in.text("MUSTER_GROUP_ID");
  std::string_view text = given;
  Incarnation id;
  const bool numbers = parse_number(take_until(text, '/'), id.job) &&
                       parse_number(take_until(text, '/'), id.step) &&
                       parse_number(take_until(text, '/'), id.restart_count);
  if (!numbers)
    in.complain("MUSTER_GROUP_ID", "is '" + given + "', expected job/step/restart/scope");
  id.scope = std::string(text);
  return id;
}

Authentication authentication_of(VariableReader& in) {
  const std::string digits = in.text("MUSTER_GROUP_KEY");
  Authentication authentication;
  if (digits == "none") {
    authentication.method = AuthenticationMethod::kNone;
  } else if (digits == "munge" || digits.rfind("munge:", 0) == 0) {
    authentication.munge_socket = digits.size() > 6 ? digits.substr(6) : "";
  } else if (const auto key = from_hex(digits); key && !key->empty()) {
    authentication.method = AuthenticationMethod::kKey;
    authentication.key = *key;
  } else {
    in.complain("MUSTER_GROUP_KEY", "is no key: expected hexadecimal digits, munge or none");
  }
  return authentication;
}

}  // namespace

std::string shape_of(const std::vector<ExpectedMember>& expected) {
  std::vector<std::uint32_t> counts;
  for (const ExpectedMember& member : expected) {
    const std::size_t node = value_of(member.node);
    if (counts.size() <= node) counts.resize(node + 1);
    ++counts[node];
  }
  std::string text;
  for (std::size_t i = 0, end = 0; i < counts.size(); i = end) {
    while (end < counts.size() && counts[end] == counts[i]) ++end;
    text += (text.empty() ? "" : ",") + std::to_string(counts[i]);
    if (end - i > 1) text += "(x" + std::to_string(end - i) + ")";
  }
  return text;
}

Result<std::vector<ExpectedMember>> members_of_shape(std::string_view shape) {
  const auto broken = [shape] {
    return failure(ErrorCode::kInvalidArgument,
                   "'" + std::string(shape) + "', expected members per node like 8(x3),4");
  };
  std::vector<ExpectedMember> members;
  std::uint32_t node = 0;
  for (std::string_view rest = shape; !rest.empty();) {
    std::string_view item = take_until(rest, ',');
    std::uint32_t nodes = 1;
    std::uint32_t count = 0;
    if (const std::size_t open = item.find("(x"); open != std::string_view::npos) {
      if (item.back() != ')') return broken();
      const std::string_view times = item.substr(open + 2, item.size() - open - 3);
      if (!parse_number(times, nodes)) return broken();
      item = item.substr(0, open);
    }
    if (!parse_number(item, count)) return broken();
    if (std::uint64_t{nodes} * (count + std::uint64_t{1}) > kMaxMembers * std::uint64_t{2} ||
        members.size() + std::uint64_t{nodes} * count > kMaxMembers)
      return broken();
    for (const std::uint32_t end = node + nodes; node < end; ++node) {
      for (std::uint32_t task = 0; task < count; ++task)
        members.push_back({NodeIndex{node}, LocalTask{task}, "node" + std::to_string(node)});
    }
  }
  if (members.empty()) return broken();
  return members;
}

Environment group_environment(const JoinOptions& options) {
  const Authentication& proof = options.authentication;
  std::string key = to_hex(proof.key);
  if (proof.method == AuthenticationMethod::kNone) key = "none";
  if (proof.method == AuthenticationMethod::kMunge)
    key = proof.munge_socket.empty() ? "munge" : "munge:" + proof.munge_socket;
  std::vector<std::string> ports;
  for (const std::uint16_t port : options.ports) ports.push_back(std::to_string(port));
  std::size_t rank = 0;
  while (rank < options.expected.size() && (options.expected[rank].node != options.self.node ||
                                            options.expected[rank].task != options.self.task))
    ++rank;
  return Environment{
      {"MUSTER_GROUP_ID", id_text(options.incarnation)},
      {"MUSTER_GROUP_ADDRESSES", joined(options.coordinator_hosts)},
      {"MUSTER_GROUP_PORTS", joined(ports)},
      {"MUSTER_GROUP_RANK", std::to_string(rank)},
      {"MUSTER_GROUP_SIZE", std::to_string(options.expected.size())},
      {"MUSTER_GROUP_NODE", std::to_string(value_of(options.self.node))},
      {"MUSTER_GROUP_LOCAL_RANK", std::to_string(value_of(options.self.task))},
      {"MUSTER_GROUP_MEMBERS", shape_of(options.expected)},
      {"MUSTER_GROUP_HOST", options.self.host},
      {"MUSTER_GROUP_SERVER", options.host_server ? "1" : "0"},
      {"MUSTER_GROUP_DEADLINE_MS", std::to_string(options.deadline.count())},
      {"MUSTER_GROUP_KEY", key},
  };
}

Result<JoinOptions> join_options_from(const Environment& environment) {
  if (!environment.has("MUSTER_GROUP_ID"))
    return failure(ErrorCode::kNotFound, "MUSTER_GROUP_ID is not set: no group was prepared here");
  VariableReader in(environment);
  JoinOptions options;
  options.incarnation = id_of(in);
  options.self.node = NodeIndex{in.number<std::uint32_t>("MUSTER_GROUP_NODE")};
  options.self.task = LocalTask{in.number<std::uint32_t>("MUSTER_GROUP_LOCAL_RANK")};
  options.self.host = in.text("MUSTER_GROUP_HOST");
  options.host_server = in.number<unsigned>("MUSTER_GROUP_SERVER") != 0;
  options.deadline = Duration(in.number<std::int64_t>("MUSTER_GROUP_DEADLINE_MS"));
  options.authentication = authentication_of(in);
  const std::string hosts = in.text("MUSTER_GROUP_ADDRESSES");
  for (std::string_view rest = hosts; !rest.empty();)
    options.coordinator_hosts.emplace_back(take_until(rest, ','));
  const std::string ports = in.text("MUSTER_GROUP_PORTS");
  for (std::string_view rest = ports; !rest.empty();) {
    std::uint16_t port = 0;
    if (!parse_number(take_until(rest, ','), port))
      in.complain("MUSTER_GROUP_PORTS", "is '" + ports + "', expected numbers and commas");
    options.ports.push_back(port);
  }
  const Result<std::vector<ExpectedMember>> members =
      members_of_shape(in.text("MUSTER_GROUP_MEMBERS"));
  if (!members) in.complain("MUSTER_GROUP_MEMBERS", "is " + members.error().message());
  const auto size = in.number<std::uint64_t>("MUSTER_GROUP_SIZE");
  if (members && members->size() != size)
    in.complain("MUSTER_GROUP_SIZE", "is " + std::to_string(size) +
                                         ", but MUSTER_GROUP_MEMBERS says " +
                                         std::to_string(members->size()));
  if (!in.complaint().empty()) return failure(ErrorCode::kInvalidArgument, in.complaint());
  options.expected = std::move(*members);
  return options;
}

}  // namespace muster::rendezvous
