// Are the places there to which a job will write its results? Asked before it starts: a typing
// mistake must not cost the measurement, nor the lines of three days.
//
// Each question is put to a child with a deadline, since file systems hang; all at once.
#pragma once

#include <string>

#include "launcher/options/options.h"
#include "rendezvous/base/result.h"

namespace muster::launcher {

// Where workers' lines go to files: makes their folder, with those above it, and tries whether
// files can be made in it. Of the agent that writes the results also whether the files of --json,
// --html and --record-baseline can be written; they are left as they are. The error names the
// option. A place that does not answer is taken for good.
Status prepare_places(const options::Options& options, const std::string& log_folder,
                      bool writes_results);

}  // namespace muster::launcher
