// What each accepted flag does to the options. Pure. Used by the table in flags.cc alone.
//
// Errors are the second half of a line; the parser adds what was given in front.
#pragma once

#include "launcher/options/flags.h"

namespace muster::options::apply {

Status check(const FlagUse& use, Parsed& parsed);
Status check_min_busbw(const FlagUse& use, Parsed& parsed);
Status check_sizes(const FlagUse& use, Parsed& parsed);
Status check_deadline(const FlagUse& use, Parsed& parsed);
Status profile(const FlagUse& use, Parsed& parsed);
Status record_baseline(const FlagUse& use, Parsed& parsed);
Status spares(const FlagUse& use, Parsed& parsed);
Status world_nodes(const FlagUse& use, Parsed& parsed);
Status json(const FlagUse& use, Parsed& parsed);
Status html(const FlagUse& use, Parsed& parsed);
Status health_only(const FlagUse& use, Parsed& parsed);
Status store(const FlagUse& use, Parsed& parsed);
Status store_admission(const FlagUse& use, Parsed& parsed);
Status exec(const FlagUse& use, Parsed& parsed);
Status dry_run(const FlagUse& use, Parsed& parsed);
Status stop_grace(const FlagUse& use, Parsed& parsed);
Status assemble_deadline(const FlagUse& use, Parsed& parsed);
Status stdin_rank(const FlagUse& use, Parsed& parsed);
Status output(const FlagUse& use, Parsed& parsed);
Status prefix(const FlagUse& use, Parsed& parsed);
Status interface(const FlagUse& use, Parsed& parsed);
Status help(const FlagUse& use, Parsed& parsed);
Status version(const FlagUse& use, Parsed& parsed);

Status nodes(const FlagUse& use, Parsed& parsed);
Status workers_per_node(const FlagUse& use, Parsed& parsed);
Status run_id(const FlagUse& use, Parsed& parsed);
Status standalone(const FlagUse& use, Parsed& parsed);
Status max_restarts(const FlagUse& use, Parsed& parsed);
Status role(const FlagUse& use, Parsed& parsed);
Status module(const FlagUse& use, Parsed& parsed);
Status no_python(const FlagUse& use, Parsed& parsed);
Status run_path(const FlagUse& use, Parsed& parsed);
Status log_dir(const FlagUse& use, Parsed& parsed);
Status redirects(const FlagUse& use, Parsed& parsed);
Status tee(const FlagUse& use, Parsed& parsed);
Status node_rank(const FlagUse& use, Parsed& parsed);
Status master_port(const FlagUse& use, Parsed& parsed);

}  // namespace muster::options::apply
