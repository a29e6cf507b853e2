#include "rendezvous/base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace muster {
namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(Fd, ClosesWhatItOwnsAndOnlyOnce) {
  int numbers[2];
  ASSERT_EQ(::pipe(numbers), 0);
  Fd read_end(numbers[0]);
  {
    Fd write_end(numbers[1]);
    Fd moved(std::move(write_end));
    EXPECT_FALSE(write_end.is_open());  // NOLINT(bugprone-use-after-move): that is the promise
    EXPECT_TRUE(is_open(numbers[1]));
  }
  EXPECT_FALSE(is_open(numbers[1]));
  const int kept = read_end.release();
  EXPECT_TRUE(is_open(kept));
  ::close(kept);
}

TEST(Fd, StandardDescriptorsAreNeverSomebodyElsesPipe) {
  const int kept = ::dup(STDIN_FILENO);
  ::close(STDIN_FILENO);
  open_standard_descriptors();
  EXPECT_TRUE(is_open(STDIN_FILENO));
  const int next = ::dup(STDOUT_FILENO);
  EXPECT_GT(next, STDERR_FILENO);
  ::close(next);
  if (kept >= 0) ::dup2(kept, STDIN_FILENO);
  ::close(kept);
}

}  // namespace
}  // namespace muster
