// How long N members in one process take to meet over loopback, and one barrier of theirs.
//
//   assemble_bench [N...]    64, 512 and 2048 without arguments
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

#include "tests/rendezvous/shells/meeting.h"

namespace muster::rendezvous {
namespace {

double milliseconds_since(TimePoint start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

void measure(std::uint32_t members, AuthenticationMethod method) {
  Meeting meeting(expected_members(members));
  meeting.server_options.authentication.method = method;
  meeting.session_options.authentication.method = method;
  const TimePoint start = Clock::now();
  const bool met = meeting.assemble();
  const double assembly = milliseconds_since(start);
  std::size_t through = 0;
  const TimePoint barrier_start = Clock::now();
  for (const auto& member : meeting.members) {
    member->session->barrier("b", kPatience,
                             [&](const Status& status) { through += status ? 1 : 0; });
  }
  const bool all = met && meeting.run_until([&] { return through == members; });
  std::printf("%6u members  auth %-4s  assemble %8.1f ms  barrier %7.1f ms%s\n", members,
              method == AuthenticationMethod::kKey ? "key" : "none", assembly,
              milliseconds_since(barrier_start), all ? "" : "  FAILED");
}

}  // namespace
}  // namespace muster::rendezvous

int main(int argc, char** argv) {
  using namespace muster::rendezvous;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  std::vector<std::uint32_t> sizes;
  for (int i = 1; i < argc; ++i)
    sizes.push_back(static_cast<std::uint32_t>(std::strtoul(argv[i], nullptr, 10)));
  if (sizes.empty()) sizes = {64, 512, 2048};
  for (const std::uint32_t size : sizes) {
    measure(size, AuthenticationMethod::kNone);
    measure(size, AuthenticationMethod::kKey);
  }
}
