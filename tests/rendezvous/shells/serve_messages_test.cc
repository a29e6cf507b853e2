#include "rendezvous/serve_messages.h"

#include <gtest/gtest.h>

namespace muster::rendezvous {
namespace {

ServerOptions sample() {
  ServerOptions options;
  options.incarnation = {4242, 1, 2, "check.0"};
  options.node = NodeIndex{3};
  options.expected = {{NodeIndex{3}, LocalTask{0}, "node3"}, {NodeIndex{3}, LocalTask{1}, "node3"}};
  options.ports = {12000, 12001};
  options.bind_address = "127.0.0.1";
  options.authentication.method = AuthenticationMethod::kKey;
  options.authentication.key = std::string("\0\xff a key of 16+", 16);
  options.assembly_deadline = std::chrono::seconds(7);
  options.lost_after = std::chrono::seconds(3);
  return options;
}

TEST(ServerOptionsJson, SurvivesTheRoundTrip) {
  const ServerOptions sent = sample();
  const auto got = parse_server_options(to_json(sent));
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_EQ(got->incarnation, sent.incarnation);
  EXPECT_EQ(got->node, sent.node);
  EXPECT_EQ(got->expected, sent.expected);
  EXPECT_EQ(got->ports, sent.ports);
  EXPECT_EQ(got->bind_address, sent.bind_address);
  EXPECT_EQ(got->authentication, sent.authentication);
  EXPECT_EQ(got->assembly_deadline, sent.assembly_deadline);
  EXPECT_EQ(got->lost_after, sent.lost_after);
}

TEST(ServerOptionsJson, NamesTheMemberThatIsWrong) {
  EXPECT_EQ(parse_server_options("").error().message(),
            "server options: expected one line of JSON, an object");
  EXPECT_FALSE(parse_server_options("[]"));
  std::string json = to_json(sample());
  json.replace(json.find("\"step\":1"), 8, "\"step\":-1");
  const auto got = parse_server_options(json);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message(), "server options: bad or missing step");
}

TEST(ServeReportJson, SurvivesTheRoundTrip) {
  const auto port = parse_serve_report(to_json(ServeReport(Serving{12007})));
  ASSERT_TRUE(port);
  EXPECT_EQ(std::get<Serving>(*port).port, 12007);
  const auto error =
      parse_serve_report(to_json(ServeReport(Error(ErrorCode::kSystem, "no \"x\""))));
  ASSERT_TRUE(error);
  EXPECT_EQ(std::get<Error>(*error).message(), "no \"x\"");
  EXPECT_FALSE(parse_serve_report("{}"));
  EXPECT_FALSE(parse_serve_report("nonsense"));
}

TEST(Hex, RefusesWhatIsNotHex) {
  EXPECT_EQ(from_hex("00ff7a"), std::string("\0\xffz", 3));
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
}

}  // namespace
}  // namespace muster::rendezvous
