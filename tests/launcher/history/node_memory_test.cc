#include "launcher/history/node_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "launcher/health/child_question.h"
#include "launcher/process/spawn.h"
#include "rendezvous/base/fd.h"
#include "tests/launcher/history/temporary_folder.h"

namespace muster::history {
namespace {

using std::chrono::sys_days;
using namespace std::chrono_literals;

constexpr Duration kPlenty{60'000};
constexpr Duration kShort{30};

Record finding(const std::string& host, const std::string& job = "1.0") {
  return {sys_days(2026y / 11 / 23), job, {host, "i-1", {"GPU-1"}, "slow", 0.5, "pairs"}};
}

TEST(NodeMemory, GivesBackWhatWasAppended) {
  const TemporaryFolder folder;
  const std::string path = folder.file("memory");
  ASSERT_TRUE(remember(path, {finding("node1"), finding("node2")}, kPlenty).has_value());
  ASSERT_TRUE(remember(path, {finding("node3")}, kPlenty).has_value());
  const auto recalled = recall(path, kPlenty);
  ASSERT_TRUE(recalled.has_value()) << recalled.error().message();
  EXPECT_EQ(recalled->records,
            (std::vector<Record>{finding("node1"), finding("node2"), finding("node3")}));
  EXPECT_EQ(recalled->skipped, 0u);
}

TEST(NodeMemory, IsEmptyWhereThereIsNoFileYet) {
  const TemporaryFolder folder;
  EXPECT_EQ(recall(folder.file("memory"), kPlenty), Records{});
}

TEST(NodeMemory, SaysWhichFolderIsMissing) {
  const TemporaryFolder folder;
  const std::string path = folder.file("missing/memory");
  const Status kept = remember(path, {finding("node1")}, kPlenty);
  ASSERT_FALSE(kept.has_value());
  EXPECT_EQ(kept.error().message(), path + ": there is no such file or folder");
}

// A typing mistake, told before there is anything to write.
TEST(NodeMemory, MissesItsFolderWhenItIsReadToo) {
  const TemporaryFolder folder;
  const std::string path = folder.file("missing/memory");
  const auto recalled = recall(path, kPlenty);
  ASSERT_FALSE(recalled.has_value());
  EXPECT_EQ(recalled.error().message(),
            path + ": folder " + folder.file("missing") +
                ": No such file or directory; expected a file in a folder that is there and can "
                "be written");
}

TEST(NodeMemory, IsSharedAsFarAsTheUmaskAllows) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(0027);
  const Status kept = remember(folder.file("memory"), {finding("node1")}, kPlenty);
  ::umask(before);
  ASSERT_TRUE(kept.has_value()) << kept.error().message();
  struct stat status {};
  ASSERT_EQ(::stat(folder.file("memory").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST(NodeMemory, ReadsAroundGarbage) {
  const TemporaryFolder folder;
  const std::string path =
      folder.write("memory", std::string("\0\xff{]\n", 5) + print_record(finding("node1")) +
                                 "\nnot ours\n\n" + print_record(finding("node2")).substr(0, 50));
  ASSERT_TRUE(remember(path, {finding("node3")}, kPlenty).has_value());
  const auto recalled = recall(path, kPlenty);
  ASSERT_TRUE(recalled.has_value()) << recalled.error().message();
  EXPECT_EQ(recalled->records, (std::vector<Record>{finding("node1"), finding("node3")}))
      << "a new record must not hang on a torn one";
  EXPECT_EQ(recalled->skipped, 3u);
}

TEST(NodeMemory, ReadsTheLastPartOfALongFile) {
  const TemporaryFolder folder;
  const std::string line = print_record(finding("old")) + "\n";
  std::string text = "the first line, long gone\n";
  while (text.size() < 2 * kMaxTail) text += line;
  const auto recalled =
      recall(folder.write("memory", text + print_record(finding("new")) + "\n"), kPlenty);
  ASSERT_TRUE(recalled.has_value()) << recalled.error().message();
  EXPECT_EQ(recalled->skipped, 0u);
  EXPECT_EQ(recalled->records.back(), finding("new"));
  EXPECT_NEAR(static_cast<double>(recalled->records.size()),
              static_cast<double>(kMaxTail) / static_cast<double>(line.size()), 2.0);
}

TEST(NodeMemory, FindsNothingInOneEndlessLine) {
  const TemporaryFolder folder;
  const auto recalled = recall(folder.write("memory", std::string(2 * kMaxTail, 'x')), kPlenty);
  EXPECT_EQ(recalled, Records{});
}

TEST(NodeMemory, TellsWhatIsNoFile) {
  const TemporaryFolder folder;
  const std::string fifo = folder.file("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const auto recalled = recall(fifo, kPlenty);
  ASSERT_FALSE(recalled.has_value());
  EXPECT_EQ(recalled.error().message(), fifo + ": is no regular file; name a file");
  EXPECT_FALSE(recall(folder.file("."), kPlenty).has_value());
  EXPECT_FALSE(remember(folder.file("."), {finding("node1")}, kPlenty).has_value());
  EXPECT_FALSE(remember(fifo, {finding("node1")}, kPlenty).has_value());
}

TEST(NodeMemory, WaitsForALockOnlySoLong) {
  const TemporaryFolder folder;
  const std::string path = folder.file("memory");
  const Fd holder(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::flock(holder.get(), LOCK_EX), 0);
  const Status kept = append_lines(path, {"a line"}, kShort);
  ASSERT_FALSE(kept.has_value());
  EXPECT_EQ(kept.error().code(), ErrorCode::kTimeout);
  EXPECT_EQ(content_of(path), "");
  ASSERT_EQ(::flock(holder.get(), LOCK_UN), 0);
  EXPECT_TRUE(append_lines(path, {"a line"}, kShort).has_value());
  EXPECT_EQ(content_of(path), "a line\n");
}

// Each writer is a process of its own; that it has ended is what its pipe's end tells.
TEST(NodeMemory, LosesAndTearsNothingOfTwoWritersAtOnce) {
  constexpr int kEach = 1000;
  const TemporaryFolder folder;
  const std::string path = folder.file("memory");
  const auto write_many = [&path](const std::string& job) {
    int failed = 0;
    for (int i = 0; i < kEach; ++i) {
      const std::string line = print_record(finding("node" + std::to_string(i), job));
      if (!append_lines(path, {line}, kPlenty)) ++failed;
    }
    return failed;
  };
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd other_done(ends[0]);
  Fd other_alive(ends[1]);
  const auto other = process::fork_function("writer", {ends[1]}, [&write_many, &ends]() {
    const char failed = write_many("other") == 0 ? 'y' : 'n';
    return ::write(ends[1], &failed, 1) == 1 ? 0 : 1;
  });
  ASSERT_TRUE(other.has_value()) << other.error().message();
  other_alive.reset();
  EXPECT_EQ(write_many("own"), 0);
  char answer = '?';
  ASSERT_EQ(::read(other_done.get(), &answer, 1), 1);
  EXPECT_EQ(answer, 'y');

  const Records all = parse_records(content_of(path));
  EXPECT_EQ(all.skipped, 0u);
  ASSERT_EQ(all.records.size(), 2u * kEach);
  std::set<std::pair<std::string, std::string>> seen;
  for (const Record& record : all.records) seen.emplace(record.job, record.unfit.host);
  EXPECT_EQ(seen.size(), 2u * kEach);
}

}  // namespace
}  // namespace muster::history
