// What the two fakes share: the stream that one makes and the other works on, and the list of
// calls.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

namespace muster_fake {

// Work is done at once, but a stream owns up to it only when it is asked for the second time.
struct Stream {
  int questions_left = 0;
  bool has_work() const { return questions_left > 0; }
  void add_work() { questions_left = 1; }
};

// One letter a call into the file that FAKE_CALLS names: o for an operation, e for an event.
inline void note_call(char letter) {
  const char* name = std::getenv("FAKE_CALLS");
  if (name == nullptr) return;
  const int file = ::open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  [[maybe_unused]] const auto written = ::write(file, &letter, 1);
  ::close(file);
}

}  // namespace muster_fake
