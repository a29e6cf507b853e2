#include "slurm/node_actions.h"

#include <algorithm>
#include <utility>

#include "slurm/hostlist_compress.h"

namespace muster::slurm {

namespace {

constexpr std::string_view kReplace = "Action:Replace";

// What a byte of a reason becomes; ' ' for what only separates.
char plain(char byte) {
  if (byte == '"' || byte == '`') return '\'';
  if (byte == '\\') return '/';
  if (byte == '$' || byte == '!') return '?';  // '!' recalls history in an interactive shell
  if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') return ' ';
  return byte > 0x20 && byte < 0x7f ? byte : '?';
}

// Blanks at the ends vanish, several become one.
std::string plain_line(std::string_view text) {
  std::string line;
  for (const char byte : text) {
    const char next = plain(byte);
    if (next == ' ' && (line.empty() || line.back() == ' ')) continue;
    line += next;
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

bool is_safe_in_a_shell(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') ||
         std::string_view("._,:-").find(byte) != std::string_view::npos;
}

// A word of a shell. Brackets are quoted too: zsh takes an unquoted node[1-4] for a file pattern.
std::string quoted(const std::string& word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_safe_in_a_shell)) return word;
  if (word.find_first_of("\"`\\$!") == std::string::npos) return '"' + word + '"';
  std::string text = "'";
  for (const char byte : word) {
    if (byte == '\'') {
      text += "'\\''";
    } else {
      text += byte;
    }
  }
  return text + '\'';
}

NodeCommand update_command(const std::string& hosts, const std::string& state,
                           const std::string& reason) {
  return {{"scontrol", "update", "nodename=" + hosts, "state=" + state, "reason=" + reason},
          "scontrol update nodename=" + quoted(hosts) + " state=" + state + " reason=\"" + reason +
              '"'};
}

}  // namespace

std::string node_reason(std::string_view reason, std::uint64_t job) {
  std::string line = plain_line(reason);
  if (line.empty()) line = "unfit";
  const std::string head = "muster: ";
  const std::string tail = job == 0 ? "" : " (job " + std::to_string(job) + ")";
  const std::size_t room = kMaxReason - head.size() - tail.size();
  if (line.size() > room) line = line.substr(0, room - 3) + "...";
  return head + line + tail;
}

std::vector<NodeCommand> node_commands(const std::vector<NodeComplaint>& nodes,
                                       const ClusterFacts& cluster) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;  // reason, hosts
  for (const NodeComplaint& node : nodes) {
    std::string reason =
        cluster.is_hyperpod ? std::string(kReplace) : node_reason(node.reason, cluster.job);
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&reason](const auto& one) { return one.first == reason; });
    if (group == groups.end()) group = groups.insert(group, {std::move(reason), {}});
    group->second.push_back(node.host);
  }
  std::vector<NodeCommand> commands;
  for (const auto& [reason, hosts] : groups) {
    commands.push_back(
        update_command(compress_hostlist(hosts), cluster.is_hyperpod ? "fail" : "drain", reason));
  }
  return commands;
}

std::string exclude_word(const std::vector<std::string>& hosts) {
  return hosts.empty() ? "" : "--exclude=" + compress_hostlist(hosts);
}

std::string resubmit_text(const std::vector<std::string>& hosts) {
  return hosts.empty() ? "" : "sbatch --exclude=" + quoted(compress_hostlist(hosts)) + " ...";
}

}  // namespace muster::slurm
