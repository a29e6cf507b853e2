// Many blocking calls at once.
#include "rendezvous/sidecar_pool.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "tests/rendezvous/shells/meeting.h"

namespace muster::rendezvous {
namespace {

class SidecarPoolTest : public testing::Test {
 protected:
  void call() {
    pool_.call(LookUpHosts{{"localhost"}}, [this](const Result<SidecarAnswer>& answer) {
      ++answers_;
      if (answer) ++good_answers_;
    });
  }
  bool wait_for(std::size_t answers) {
    const TimePoint end = Clock::now() + kPatience;
    while (answers_ < answers && Clock::now() < end) loop_.run_one_until(end);
    return good_answers_ == answers;
  }

  asio::io_context loop_{1};
  SidecarPool pool_{loop_, 3};
  std::size_t answers_ = 0;
  std::size_t good_answers_ = 0;
};

TEST_F(SidecarPoolTest, StartsOneForCallsThatComeOneByOne) {
  for (std::size_t i = 1; i <= 3; ++i) {
    call();
    ASSERT_TRUE(wait_for(i));
  }
  EXPECT_EQ(pool_.size(), 1u);
}

TEST_F(SidecarPoolTest, SharesManyCallsAmongAsManyAsItMay) {
  for (int i = 0; i < 20; ++i) call();
  EXPECT_EQ(pool_.size(), 3u);
  EXPECT_TRUE(wait_for(20));
}

TEST_F(SidecarPoolTest, ForgetsItsCallsWhenStoppedAndServesAgain) {
  for (int i = 0; i < 5; ++i) call();
  pool_.stop();
  call();
  EXPECT_TRUE(wait_for(1));
  loop_.poll();
  EXPECT_EQ(answers_, 1u);
}

// Helper processes that read every call and answer none, and a pool that gives them no time at all.
class StuckSidecars : public testing::Test {
 protected:
  void SetUp() override {
    const std::string program = directory_ + "/muster-rendezvous";
    std::ofstream(program) << "#!/bin/sh\nexec cat >/dev/null\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    ::setenv("MUSTER_LIBEXEC_DIR", directory_.c_str(), 1);
  }
  void TearDown() override {
    if (real_directory_)
      ::setenv("MUSTER_LIBEXEC_DIR", real_directory_->c_str(), 1);
    else
      ::unsetenv("MUSTER_LIBEXEC_DIR");
    std::filesystem::remove_all(directory_);
  }

  static SidecarOptions options(std::function<void(const Error&)> on_stuck) {
    return {.call_limit = Duration::zero(), .host = "node1", .on_stuck = std::move(on_stuck)};
  }
  template <typename Condition>
  bool run_until(Condition holds) {
    const TimePoint end = Clock::now() + kPatience;
    while (!holds() && Clock::now() < end) loop_.run_one_until(end);
    return holds();
  }

  asio::io_context loop_{1};

 private:
  static std::optional<std::string> variable(const char* name) {
    const char* const value = ::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  }
  static std::string make_directory() {
    std::string pattern = testing::TempDir() + "/muster-stuck-XXXXXX";
    return ::mkdtemp(pattern.data()) == nullptr ? "" : pattern;
  }

  const std::optional<std::string> real_directory_ = variable("MUSTER_LIBEXEC_DIR");
  const std::string directory_ = make_directory();
};

TEST_F(StuckSidecars, AreToldOnceHoweverManyCallsTheyFail) {
  std::vector<std::string> told;
  SidecarPool pool(loop_, 3, options([&](const Error& e) { told.push_back(e.message()); }));
  std::vector<std::string> failures;
  for (int i = 0; i < 6; ++i) {
    pool.call(MungeDecode{"", "x"}, [&](const Result<SidecarAnswer>& answer) {
      failures.push_back(answer ? "" : answer.error().message());
    });
  }
  ASSERT_TRUE(run_until([&] { return failures.size() == 6; }));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(contains(told[0], " on node1 did not answer within 0 s: munge hangs there"))
      << told[0];
  for (const std::string& failure : failures)
    EXPECT_EQ(failure.find("open a munge credential: the helper process muster-rendezvous (pid "),
              0u)
        << failure;
}

TEST_F(StuckSidecars, MayMakeTheOwnerEndThePool) {
  std::unique_ptr<SidecarPool> pool;
  pool = std::make_unique<SidecarPool>(loop_, 1, options([&pool](const Error&) { pool.reset(); }));
  pool->call(LookUpHosts{{"localhost"}}, [](const Result<SidecarAnswer>&) {});
  EXPECT_TRUE(run_until([&] { return !pool; }));
}

}  // namespace
}  // namespace muster::rendezvous
