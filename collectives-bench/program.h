// The program around a run: table or report, last words, exit code. All that muster-bench prints
// is printed here.
#pragma once

#include "collectives-bench/exit_code.h"
#include "collectives-bench/run.h"

namespace muster::bench {

// Runs and tells. With --report-fd one JSON document goes there and nothing to stdout; else rank 0
// prints the table to stdout, or with --json - or --csv - that document, and writes the files asked
// for. Errors are one line on stderr, as is, on a terminal only, the progress.
ExitCode run_program(const RunPlan& plan, Exchange& exchange, TimePoint deadline);

// The end of main. After a failure without exit handlers: what an aborted backend left behind is in
// flight still, and the libraries' own handlers crash on it or wait for it.
[[noreturn]] void end_program(ExitCode code);

// Tells of an error that came before there was an exchange.
ExitCode tell_failure(const BenchOptions& options, const Seat& seat, const Error& error,
                      Phase phase);

}  // namespace muster::bench
