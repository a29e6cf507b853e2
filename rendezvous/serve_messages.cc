#include "rendezvous/serve_messages.h"

#include <nlohmann/json.hpp>

#include "rendezvous/messages.h"

namespace muster::rendezvous {

namespace {

using nlohmann::json;

std::string dumped(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

const char* name_of(AuthenticationMethod method) {
  switch (method) {
    case AuthenticationMethod::kMunge:
      return "munge";
    case AuthenticationMethod::kKey:
      return "key";
    case AuthenticationMethod::kNone:
      return "none";
  }
  return "none";
}

// Reads members of one object; remembers the first that is absent or of the wrong kind.
class ObjectReader {
 public:
  explicit ObjectReader(const json& object) : object_(object) {
    if (!object.is_object()) wrong_ = "expected one line of JSON, an object";
  }

  std::uint64_t number(const char* name, std::uint64_t most) {
    const json* const value = find(name);
    if (value != nullptr && value->is_number_unsigned() && value->get<std::uint64_t>() <= most)
      return value->get<std::uint64_t>();
    complain(name);
    return 0;
  }
  std::uint32_t number32(const char* name) {
    return static_cast<std::uint32_t>(number(name, UINT32_MAX));
  }
  Duration milliseconds(const char* name) {
    return Duration(static_cast<std::int64_t>(number(name, UINT32_MAX)));
  }
  std::string string(const char* name) {
    const json* const value = find(name);
    if (value != nullptr && value->is_string()) return value->get<std::string>();
    complain(name);
    return "";
  }
  const json& array(const char* name) {
    static const json kEmpty = json::array();
    const json* const value = find(name);
    if (value != nullptr && value->is_array()) return *value;
    complain(name);
    return kEmpty;
  }
  void complain(const std::string& name) {
    if (wrong_.empty()) wrong_ = "bad or missing " + name;
  }
  const std::string& wrong() const { return wrong_; }

 private:
  const json* find(const char* name) const {
    const auto found = object_.is_object() ? object_.find(name) : object_.end();
    return found == object_.end() ? nullptr : &*found;
  }

  const json& object_;
  std::string wrong_;
};

Authentication authentication_of(ObjectReader& in) {
  Authentication authentication;
  const std::string method = in.string("authentication");
  if (method == "key") {
    authentication.method = AuthenticationMethod::kKey;
  } else if (method == "none") {
    authentication.method = AuthenticationMethod::kNone;
  } else if (method != "munge") {
    in.complain("authentication");
  }
  const Result<std::string> key = from_hex(in.string("key"));
  if (!key) in.complain("key");
  authentication.key = key.value_or("");
  authentication.munge_socket = in.string("munge_socket");
  return authentication;
}

std::vector<ExpectedMember> members_of(ObjectReader& in) {
  std::vector<ExpectedMember> members;
  for (const json& each : in.array("members")) {
    ObjectReader member(each);
    members.push_back({NodeIndex{member.number32("node")}, LocalTask{member.number32("task")},
                       member.string("host")});
    if (!member.wrong().empty()) in.complain("members");
    if (members.size() > kMaxMembers) in.complain("members");
  }
  return members;
}

}  // namespace

std::string to_json(const ServerOptions& options) {
  json members = json::array();
  for (const ExpectedMember& each : options.expected) {
    members.push_back(
        {{"node", value_of(each.node)}, {"task", value_of(each.task)}, {"host", each.host}});
  }
  const json value = {
      {"job", options.incarnation.job},
      {"step", options.incarnation.step},
      {"restart_count", options.incarnation.restart_count},
      {"scope", options.incarnation.scope},
      {"node", value_of(options.node)},
      {"members", std::move(members)},
      {"ports", options.ports},
      {"bind_address", options.bind_address},
      {"authentication", name_of(options.authentication.method)},
      {"key", to_hex(options.authentication.key)},
      {"munge_socket", options.authentication.munge_socket},
      {"assembly_deadline_ms", options.assembly_deadline.count()},
      {"lost_after_ms", options.lost_after.count()},
  };
  return dumped(value);
}

Result<ServerOptions> parse_server_options(std::string_view text) {
  const json value = json::parse(text, nullptr, false);
  ObjectReader in(value);
  ServerOptions options;
  options.incarnation = {in.number("job", UINT64_MAX), in.number32("step"),
                         in.number32("restart_count"), in.string("scope")};
  options.node = NodeIndex{in.number32("node")};
  options.expected = members_of(in);
  for (const json& port : in.array("ports")) {
    if (port.is_number_unsigned() && port.get<std::uint64_t>() <= UINT16_MAX) {
      options.ports.push_back(port.get<std::uint16_t>());
    } else {
      in.complain("ports");
    }
  }
  options.bind_address = in.string("bind_address");
  options.authentication = authentication_of(in);
  options.assembly_deadline = in.milliseconds("assembly_deadline_ms");
  options.lost_after = in.milliseconds("lost_after_ms");
  if (!in.wrong().empty())
    return failure(ErrorCode::kInvalidArgument, "server options: " + in.wrong());
  return options;
}

namespace {

struct ReportWriter {
  json operator()(const Serving& serving) const { return {{"port", serving.port}}; }
  json operator()(const Error& error) const { return {{"error", error.message()}}; }
};

}  // namespace

std::string to_json(const ServeReport& report) {
  return dumped(std::visit(ReportWriter{}, report));
}

Result<ServeReport> parse_serve_report(std::string_view text) {
  const json value = json::parse(text, nullptr, false);
  ObjectReader in(value);
  if (value.is_object() && value.contains("error"))
    return Error(ErrorCode::kUnavailable, in.string("error"));
  const auto port = static_cast<std::uint16_t>(in.number("port", UINT16_MAX));
  if (!in.wrong().empty()) return failure(ErrorCode::kProtocol, "server report: " + in.wrong());
  return Serving{port};
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  for (const char byte : bytes) {
    digits += kDigits[static_cast<unsigned char>(byte) >> 4];
    digits += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return digits;
}

Result<std::string> from_hex(std::string_view digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (digits.size() % 2 != 0)
    return failure(ErrorCode::kInvalidArgument, "an odd number of hexadecimal digits");
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const std::size_t high = kDigits.find(digits[i]);
    const std::size_t low = kDigits.find(digits[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos)
      return failure(ErrorCode::kInvalidArgument, "not a lower-case hexadecimal digit");
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

}  // namespace muster::rendezvous
