// What Slurm writes: hostlists, task counts, port ranges, and the whole of a step's environment.
//
//   input = u8 what | text; the environment: lines NAME=value
#include "rendezvous/base/environment.h"
#include "slurm/cpu_binding.h"
#include "slurm/hostlist.h"
#include "slurm/ports.h"
#include "slurm/step.h"
#include "slurm/task_counts.h"
#include "tests/fuzz/environment_text.h"
#include "tests/fuzz/input.h"

namespace muster::slurm {
namespace {

void read_hostlist(std::string_view text) {
  const auto hosts = expand_hostlist(text);
  if (!hosts) {
    FUZZ_REQUIRE(!hosts.error().message().empty());
    return;
  }
  FUZZ_REQUIRE(hosts->size() <= kMaxHosts);
  std::string written;
  for (const std::string& host : *hosts) {
    FUZZ_REQUIRE(!host.empty() && host.size() <= kMaxHostName);
    written += host + ",";
  }
  FUZZ_REQUIRE(expand_hostlist(written) == hosts);
}

void read_task_counts(std::string_view text) {
  const auto counts = expand_task_counts(text);
  if (!counts) return;
  FUZZ_REQUIRE(!counts->empty() && counts->size() <= kMaxHosts);
  FUZZ_REQUIRE(expand_task_counts(compress_task_counts(*counts)) == counts);
}

void read_step(std::string_view text) {
  const Environment environment = fuzz::environment_of(text);
  const auto step = parse_step(environment);
  if (!step) {
    FUZZ_REQUIRE(step.error().message().find('\n') == std::string::npos);
    return;
  }
  FUZZ_REQUIRE(step->hosts.size() == step->tasks_per_node.size());
  FUZZ_REQUIRE(value_of(step->node) < step->hosts.size());
  FUZZ_REQUIRE(value_of(step->local_task) < step->tasks_on_this_node());
  FUZZ_REQUIRE(step->proc_id < step->total_tasks());
}

}  // namespace
}  // namespace muster::slurm

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::slurm;
  muster::fuzz::Input input(data, size);
  const std::uint8_t what = input.u8();
  const std::string_view text = input.rest();
  switch (what % 4) {
    case 0:
      read_hostlist(text);
      break;
    case 1:
      read_task_counts(text);
      break;
    case 2:
      static_cast<void>(expand_ports(text));
      break;
    case 3:
      read_step(text);
      break;
  }
  return 0;
}
