// BenchGang: starts bench_rank processes, is their hub, and gathers what each left behind.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "collectives-bench/verdict.h"
#include "rendezvous/base/fd.h"
#include "rendezvous/base/time.h"

namespace muster::bench::testing {

inline constexpr Duration kGangDeadline = std::chrono::seconds(60);  // a test that needs it failed

struct RankEnd {
  int wait_status = 0;  // of waitpid; SIGKILL where the gang had to end it
  bool was_stuck = false;
  std::string report;  // the document, without its newline
  std::string output;  // stdout and stderr together
  std::string screen;  // what came to the terminal, where the plan has one
};

struct GangPlan {
  std::size_t size = 1;
  std::vector<std::string> arguments;    // of muster-bench, without --report-fd
  std::vector<std::string> environment;  // "NAME=value", added to the test's own
  std::size_t stuck = 0;                 // that many ranks are expected never to end
  bool terminal = false;                 // stderr is a terminal, whose text is RankEnd::screen
  bool terminal_output = false;          // with it: stdout is that terminal too
  bool reports = true;                   // false: a table on stdout instead
  std::string program;                   // muster-bench itself; "": bench_rank, joined by the hub
  std::function<std::vector<std::string>(std::size_t rank)> rank_environment;  // may be empty
  std::function<std::vector<std::string>(std::size_t rank)> rank_arguments;  // added; may be empty
};

// Returns when all ranks but `stuck` ended (those are killed then), or at kGangDeadline.
std::vector<RankEnd> run_gang(const GangPlan& plan);

// As the launcher would hand them to judge().
std::vector<RankOutcome> outcomes_of(const std::vector<RankEnd>& ends);

}  // namespace muster::bench::testing
