// Command: from the program's words on muster's command line to the argv of a worker. Pure.
#pragma once

#include <string>
#include <vector>

#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"

namespace muster::plan {

// How the first word is to be started, with PYTHON for $PYTHON_EXEC or python3 of PATH.
enum class ProgramStart {
  kByName,      // PYTHON -u program.py args   when it ends in ".py", else program args
  kScript,      // PYTHON -u program args      whatever its name (--run-path)
  kModule,      // PYTHON -u -m module args    (-m)
  kExecutable,  // program args                even a ".py" (--no-python)
};

// `words`: the program and its arguments, as the user wrote them. Error: no program.
Result<std::vector<std::string>> make_command(ProgramStart start,
                                              const std::vector<std::string>& words,
                                              const Environment& environment);

}  // namespace muster::plan
