#include "launcher/health/child_question.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <optional>

#include "rendezvous/base/asio.h"

namespace muster::health {
namespace {

constexpr Duration kPlenty{30'000};
constexpr Duration kShort{50};

std::string never_answer() {
  while (true) ::pause();
}

TEST(ChildQuestion, BringsTheAnswerOfAnotherProcess) {
  const auto answer = ChildQuestion::ask_and_wait(
      "test", []() { return std::to_string(::getpid()); }, kPlenty);
  ASSERT_TRUE(answer.has_value()) << answer.error().message();
  EXPECT_NE(*answer, std::to_string(::getpid()));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "the child was not reaped";
}

TEST(ChildQuestion, BringsALongAnswerWhole) {
  const std::string text(kMaxAnswer, 'x');
  EXPECT_EQ(ChildQuestion::ask_and_wait(
                "test", [&text]() { return text; }, kPlenty),
            text);
}

TEST(ChildQuestion, RefusesAnAnswerWithoutEnd) {
  const auto answer = ChildQuestion::ask_and_wait(
      "test", []() { return std::string(kMaxAnswer + 1, 'x'); }, kPlenty);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code(), ErrorCode::kLimit);
}

TEST(ChildQuestion, KillsAChildThatIsLateAndReapsIt) {
  const auto answer = ChildQuestion::ask_and_wait("test", never_answer, kShort);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code(), ErrorCode::kTimeout);
  EXPECT_EQ(answer.error().message(), "did not answer in 50 ms");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "the child is still there";
}

TEST(ChildQuestion, AsksSeveralAtOnceAndReapsAll) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::string reader =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(ends[0]);
  const std::string writer =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(ends[1]);
  // The first waits for the second, which would come too late after it.
  const auto wait_for_word = [&reader]() {
    std::ifstream file(reader);
    return std::string(1, static_cast<char>(file.get()));
  };
  const auto give_word = [&writer]() {
    std::ofstream(writer) << 'w';
    return std::string("given");
  };
  const auto answers = ChildQuestion::ask_all_and_wait("test", {wait_for_word, give_word}, kPlenty);
  ::close(ends[0]);
  ::close(ends[1]);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].value_or("late"), "w");
  EXPECT_EQ(answers[1].value_or("late"), "given");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was not reaped";
}

TEST(ChildQuestion, OneThatIsLateDoesNotSpoilTheOthers) {
  const auto answers = ChildQuestion::ask_all_and_wait(
      "test", {never_answer, []() { return std::string("here"); }, never_answer}, kShort);
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].value_or("late"), "late");
  EXPECT_EQ(answers[2].value_or("late"), "late");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is still there";
  EXPECT_TRUE(ChildQuestion::ask_all_and_wait("test", {}, kShort).empty());
}

TEST(ChildQuestion, SaysWhatItsChildDiedOf) {
  const auto answer = ChildQuestion::ask_and_wait(
      "test",
      []() {
        ::raise(SIGKILL);
        return std::string();
      },
      kPlenty);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(answer.error().message(), "ended with signal 9 (SIGKILL)");
}

TEST(ChildQuestion, IsNotAnsweredAnyMoreOnceItIsGone) {
  asio::io_context loop(1);
  bool answered = false;
  std::optional<ChildQuestion> question;
  question.emplace(loop, "test", never_answer, kPlenty,
                   [&answered](const Result<std::string>&) { answered = true; });
  question.reset();
  loop.run_for(kPlenty);  // ends with the child's death, the last thing it waits for
  EXPECT_FALSE(answered);
  EXPECT_TRUE(loop.stopped());
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "the child is still there";
}

}  // namespace
}  // namespace muster::health
