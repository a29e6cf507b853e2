// NodeLooks: the looks at one node that a job asks for, before its check and after it, each in a
// child process with a deadline (gather.h), and in between a watch for XIDs.
//
// The watch runs only where a driver told of GPUs and the kernel's log, which keeps XIDs anyway,
// may not be read: a child more for the length of the check. It starts with the end of one look and
// ends with the beginning of the next, whose facts then hold what it saw.
//
// Shell on the caller's io_context; never blocks; call from the main thread of a single-threaded
// process.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "launcher/health/child_question.h"
#include "launcher/health/probes/gather.h"
#include "launcher/health/probes/xid_watch.h"

namespace muster::health {

struct NodeLooksOptions {
  LookOptions look;
  std::function<void()> prepare = []() {};  // in the child, before it looks
  Duration limit{16'000};                   // a little more than the look's own two deadlines
  Duration watch_limit{900'000};            // longer than checks take
};

class NodeLooks {
 public:
  using Done = std::function<void(Result<std::string> facts)>;

  NodeLooks(boost::asio::io_context& loop, NodeLooksOptions options);
  NodeLooks(const NodeLooks&) = delete;
  NodeLooks& operator=(const NodeLooks&) = delete;

  // `done` comes once, from the loop, with what encode(HealthFacts) wrote, at most `limit` and 2 s
  // later. A look that is under way is given up: its `done` does not come.
  void look(Done done);

  // There will be no second look: ends the watch, if there is one, without a word.
  void stop_watching();

 private:
  void start_look();
  void start_watch();
  void on_watched(Fact<std::vector<XidEvent>> events);
  void on_facts(const Result<std::string>& answer);
  Result<std::string> add_xids(const Result<std::string>& answer);

  boost::asio::io_context& loop_;
  NodeLooksOptions options_;
  Done done_;
  bool awaits_watch_ = false;
  std::unique_ptr<ChildQuestion> question_;  // the last one, done or not
  std::unique_ptr<XidWatch> watch_;
  std::optional<Fact<std::vector<XidEvent>>> watched_;  // once watch_ has ended
};

}  // namespace muster::health
