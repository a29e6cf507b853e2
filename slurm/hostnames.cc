#include "slurm/hostnames.h"

#include "slurm/hostlist.h"

namespace muster::slurm {

Result<std::string> print_hostnames(const std::vector<std::string>& lists,
                                    const Environment& environment) {
  std::vector<std::string> wanted = lists;
  if (wanted.empty()) {
    const auto nodes = environment.get("SLURM_JOB_NODELIST");
    if (!nodes) {
      return failure(ErrorCode::kInvalidArgument,
                     "no list given and SLURM_JOB_NODELIST is not set; write `muster hostnames "
                     "'node[1-4]'`");
    }
    wanted.emplace_back(*nodes);
  }
  std::string lines;
  for (const std::string& list : wanted) {
    MUSTER_TRY(hosts, expand_hostlist(list));
    for (const std::string& host : hosts) lines += host + "\n";
  }
  return lines;
}

}  // namespace muster::slurm
