// Fd: the one owner of a file descriptor. Move-only; closes on destruction.
#pragma once

#include <utility>

namespace muster {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

  // Gives ownership away; the Fd is empty afterwards.
  int release() { return std::exchange(fd_, -1); }

  // Closes what is owned, then owns `fd`.
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// Opens /dev/null on those of 0, 1 and 2 that are closed (cron and daemons start programs so): else
// the next pipe or socket would become somebody's standard output. First thing in main.
void open_standard_descriptors();

}  // namespace muster
