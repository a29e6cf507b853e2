// Are the places there to which a job will write its results? Asked before it starts: a typing
// mistake must not cost the measurement, nor the lines of three days.
//
// Each question is put to a child with a deadline, since file systems hang.
#pragma once

#include <string>

#include "launcher/options/options.h"
#include "rendezvous/base/result.h"

namespace muster::launcher {

// Makes the folder of the workers' files, with those above it, and tries whether files can be made
// in it. The error names --log-dir.
Status prepare_log_folder(const std::string& folder, const options::Options& options);

// Whether the files of --json, --html and --record-baseline can be written. They are left as they
// are. The error names the option.
Status check_result_places(const options::Options& options);

}  // namespace muster::launcher
