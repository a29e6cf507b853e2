// What /proc says of processes. Reading `environ` of a process in uninterruptible sleep may block;
// the rest does not. So the loop may use all but `carries_marker`.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::process {

struct ProcessRecord {
  pid_t pid = 0;
  char state = '?';  // as in /proc/PID/stat; 'Z' is a zombie, 'D' uninterruptible
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  bool is_zombie() const { return state == 'Z' || state == 'X'; }
};

// Parses the text of /proc/PID/stat; the command in it may hold blanks and parentheses. Pure.
std::optional<ProcessRecord> parse_stat(std::string_view text);

std::optional<ProcessRecord> read_process(pid_t pid);

// All processes of our effective user.
std::vector<ProcessRecord> own_processes();

// Our children, zombies included.
std::vector<ProcessRecord> own_children();

// Whether the environment that `pid` was started with holds kMarkerVariable=marker.
bool carries_marker(pid_t pid, std::string_view marker);

}  // namespace muster::process
