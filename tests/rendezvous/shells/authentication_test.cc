#include "rendezvous/authentication.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace muster::rendezvous {
namespace {

constexpr const char* kToken = "0123456789abcdef";

AuthenticationFacts with_munge() {
  return {true, true, std::nullopt};
}

TEST(Authentication, IsMungeWhereNothingElseIsSet) {
  const auto chosen = choose_authentication({{"MUNGE_SOCKET", "/x/munge"}}, with_munge());
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->method, AuthenticationMethod::kMunge);
  EXPECT_EQ(chosen->munge_socket, "/x/munge");
}

TEST(Authentication, TakesWhatTheUserSetBeforeWhatANodeHas) {
  const auto token = choose_authentication({{"MUSTER_TOKEN", kToken}}, with_munge());
  ASSERT_TRUE(token);
  EXPECT_EQ(token->method, AuthenticationMethod::kKey);
  EXPECT_EQ(token->key, kToken);
  AuthenticationFacts facts = with_munge();
  facts.key_file = std::string("key of the file!!");
  EXPECT_EQ(choose_authentication({{"MUSTER_TOKEN", kToken}}, facts)->key, "key of the file!!");
}

TEST(Authentication, PrintsTheLineForTheBatchScript) {
  const auto none = choose_authentication({}, AuthenticationFacts{true, false, std::nullopt});
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message().find("no munge socket at /run/munge/munge.socket.2"),
            std::string::npos);
  EXPECT_NE(none.error().message().find("export MUSTER_TOKEN=$(head -c 24 /dev/urandom | base64)"),
            std::string::npos);
}

TEST(Authentication, RefusesAShortToken) {
  const auto chosen = choose_authentication({{"MUSTER_TOKEN", "short"}}, with_munge());
  ASSERT_FALSE(chosen);
  EXPECT_NE(chosen.error().message().find("MUSTER_TOKEN has 5 bytes, expected at least 16"),
            std::string::npos);
}

// A file of the test's own; gone at its end.
class KeyFile {
 public:
  explicit KeyFile(mode_t mode) : path_(testing::TempDir() + "muster_key_XXXXXX") {
    const int fd = ::mkstemp(path_.data());
    EXPECT_EQ(::write(fd, kToken, 16), 16);
    ::fchmod(fd, mode);
    ::close(fd);
  }
  ~KeyFile() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(KeyFile, IsReadWhenItIsClosedToOthers) {
  const KeyFile file(0600);
  const auto facts = find_authentication_facts({{"MUSTER_KEY_FILE", file.path()}});
  ASSERT_TRUE(facts.key_file);
  EXPECT_EQ(facts.key_file->value(), kToken);
}

TEST(KeyFile, IsRefusedWhenOthersMayRead) {
  const KeyFile file(0644);
  const Environment environment{{"MUSTER_KEY_FILE", file.path()}};
  const auto chosen = choose_authentication(environment, find_authentication_facts(environment));
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().message(),
            "MUSTER_KEY_FILE " + file.path() + " is open to others; chmod 600 it");
}

TEST(KeyFile, ThatIsMissingIsAnErrorNotAnotherWay) {
  const Environment environment{{"MUSTER_KEY_FILE", "/no/such/file"}};
  EXPECT_FALSE(choose_authentication(environment, find_authentication_facts(environment)));
}

}  // namespace
}  // namespace muster::rendezvous
