// muster: starts distributed training under Slurm. README.md says how, agent/program.h what
// happens.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "launcher/agent/program.h"
#include "launcher/options/exit_codes.h"
#include "rendezvous/base/fd.h"

int main(int argc, char** argv) {
  muster::open_standard_descriptors();
  try {
    const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    return muster::launcher::run_program(words, muster::Environment::from_block(environ));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "muster: internal error: %s\n", error.what());
  } catch (...) {
    std::fprintf(stderr, "muster: internal error of unknown kind\n");
  }
  return muster::options::to_int(muster::options::ExitCode::kInternal);
}
