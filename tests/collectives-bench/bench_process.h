// BenchProcess: one muster-bench under way, whose output is read while it runs.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "rendezvous/base/fd.h"

namespace muster::bench::testing {

class BenchProcess {
 public:
  // `environment` ("NAME=value") is added to the test's own. stdout and stderr are one pipe.
  BenchProcess(const std::string& program, std::vector<std::string> arguments,
               const std::vector<std::string>& environment);
  ~BenchProcess();
  BenchProcess(const BenchProcess&) = delete;
  BenchProcess& operator=(const BenchProcess&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& output() const { return output_; }

  // Reads until `text` is there. False at the end of the output or at kGangDeadline.
  bool read_until(const std::string& text);
  // Reads until nobody holds the pipe any more, children of children included. False at
  // kGangDeadline.
  bool read_to_end();
  // The exit code, or 128 and the signal; -1 at kGangDeadline.
  int wait();

  // Of a rank, from the table's head.
  pid_t pid_of_rank(unsigned rank) const;

 private:
  bool read_some();

  pid_t pid_ = -1;
  Fd pipe_;
  std::string output_;
};

}  // namespace muster::bench::testing
