// muster-rendezvous: the helper of programs that use the rendezvous library.
//
//   sidecar   makes calls that may hang for its parent; ends with it
//   serve     a rendezvous server as a process of its own; see program/serve.h
//   store     a store for PyTorch programs; see program/store.h

#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "rendezvous/base/fd.h"
#include "rendezvous/program/serve.h"
#include "rendezvous/program/sidecar_loop.h"
#include "rendezvous/program/store.h"

namespace {

constexpr int kUsageError = 2;
constexpr const char* kUsage =
    "usage: muster-rendezvous sidecar | serve | store [options]\n"
    "  sidecar  answers its parent's calls on stdin; started by muster, of no use by hand\n"
    "  serve    reads one line of JSON options on stdin, prints {\"port\":N}, serves one group\n"
    "  store    serves PyTorch programs on this machine until SIGTERM, SIGINT or end of stdin:\n"
    "           [--port P] [--bind ADDRESS] [--admission uid|open], prints \"port N\"\n"
    "  --help, --version\n";

int run(const char* command) {
  if (std::strcmp(command, "sidecar") == 0) return muster::rendezvous::run_sidecar();
  if (std::strcmp(command, "serve") == 0) return muster::rendezvous::run_server();
  if (std::strcmp(command, "--help") == 0) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  if (std::strcmp(command, "--version") == 0) {
    std::puts("muster-rendezvous " MUSTER_VERSION);
    return 0;
  }
  std::fprintf(stderr, "muster-rendezvous: unknown command '%s'\n%s", command, kUsage);
  return kUsageError;
}

}  // namespace

int main(int argc, char** argv) try {
  muster::open_standard_descriptors();
  if (argc >= 2 && std::strcmp(argv[1], "store") == 0)
    return muster::rendezvous::run_store(std::vector<std::string>(argv + 2, argv + argc));
  if (argc == 2) return run(argv[1]);
  std::fputs(kUsage, stderr);
  return kUsageError;
} catch (const std::exception& error) {
  std::fprintf(stderr, "muster-rendezvous: %s\n", error.what());
  return 1;
}
