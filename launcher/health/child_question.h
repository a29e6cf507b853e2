// ChildQuestion: a question whose answering may hang, put to a child process with a deadline.
//
// A process can be killed, a thread cannot. The child runs `body` (see process::fork_function: it
// holds none of our descriptors) and what that returns comes back through a pipe. A child that is
// late gets SIGKILL and is not waited for. Shell on the caller's io_context; call from the main
// thread of a single-threaded process.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace boost::asio {
class io_context;
}

namespace muster::health {

inline constexpr std::size_t kMaxAnswer = 1U << 20;

class ChildQuestion {
 public:
  using Done = std::function<void(Result<std::string>)>;

  // `name`: the process's name, at most 15 characters. `done` comes from the loop, once. Errors:
  // kTimeout; kLimit, more than kMaxAnswer bytes; kUnavailable, the child died of it; kSystem.
  ChildQuestion(boost::asio::io_context& loop, const char* name,
                const std::function<std::string()>& body, Duration limit, Done done);
  ~ChildQuestion();  // `done` does not come any more; the child gets SIGKILL
  ChildQuestion(const ChildQuestion&) = delete;
  ChildQuestion& operator=(const ChildQuestion&) = delete;

  // The same with a loop of its own: blocks, at most a moment longer than `limit`.
  static Result<std::string> ask_and_wait(const char* name,
                                          const std::function<std::string()>& body, Duration limit);
  // Several at once, each in a child of its own; the answers in the order of the questions.
  static std::vector<Result<std::string>> ask_all_and_wait(
      const char* name, const std::vector<std::function<std::string()>>& bodies, Duration limit);

 private:
  class Body;
  std::shared_ptr<Body> body_;  // pending handlers hold it too
};

}  // namespace muster::health
