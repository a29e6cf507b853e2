// What an operator does with an unfit node: the commands that take it out of Slurm's hands, and how
// to submit the job again without it. Pure: makes commands, runs none.
//
// A command comes as words, to be executed without a shell, and as the same line to copy into one.
// On SageMaker HyperPod a node with state=fail and the reason "Action:Replace" is replaced by the
// service, which reads just these words; elsewhere the node is drained with the reason told.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace muster::slurm {

// slurmctld takes any length; slurmdbd keeps a reason in a column of 255 bytes (tinytext).
inline constexpr std::size_t kMaxReason = 255;

// There on every node of a HyperPod cluster, and nowhere else.
inline constexpr std::string_view kHyperpodFolder = "/opt/sagemaker_cluster";

struct NodeComplaint {
  std::string host;    // as Slurm names the node
  std::string reason;  // "slow, 0.41 of the others"; any bytes

  bool operator==(const NodeComplaint&) const = default;
};

struct ClusterFacts {
  bool is_hyperpod = false;
  std::uint64_t job = 0;  // 0: no Slurm job

  bool operator==(const ClusterFacts&) const = default;
};

struct NodeCommand {
  std::vector<std::string> argv;  // argv[0] is "scontrol", to be looked for in PATH
  std::string text;               // what to write in a shell to run the same

  bool operator==(const NodeCommand&) const = default;
};

// "muster: slow, 0.41 of the others (job 4711)": one line of at most kMaxReason printable ASCII
// characters without those that mean something inside a shell's double quotes. A long reason loses
// its end, marked by "...", never the job.
std::string node_reason(std::string_view reason, std::uint64_t job);

// One command for all nodes that end up with the same reason, in the order in which the reasons
// come first.
std::vector<NodeCommand> node_commands(const std::vector<NodeComplaint>& nodes,
                                       const ClusterFacts& cluster);

// "--exclude=node[3,7]", of srun, sbatch and salloc alike, as one word for argv. "" for no hosts.
std::string exclude_word(const std::vector<std::string>& hosts);

// "sbatch --exclude=node3 ...", to copy; the dots stand for what was submitted. "" for no hosts.
std::string resubmit_text(const std::vector<std::string>& hosts);

}  // namespace muster::slurm
