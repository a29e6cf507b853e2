// The files that a check leaves behind: --json, --html, --record-baseline. Written when the job is
// over, each in a child with a deadline: a file system that hangs is an error in time.
#pragma once

#include <string>

#include "collectives-bench/profile/profile.h"
#include "launcher/options/options.h"
#include "rendezvous/base/result.h"

namespace muster::launcher {

// Writes what --json and --html ask for of the check's document. An error of one does not keep the
// other from being tried; the first one is returned, with the option as the user wrote it.
Status write_reports(const options::Options& options, const std::string& document);

// Writes what --record-baseline asks for.
Status write_baseline(const options::Options& options, const bench::Profile& baseline);

}  // namespace muster::launcher
