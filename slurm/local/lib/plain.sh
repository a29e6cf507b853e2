# Plain mode: no namespaces, any user. N slurmd with their own names and ports on 127.0.0.1, one
# munged with its socket in the state directory. All nodes share one network and one host name.

start_plain() {
  local host
  refuse_taken_ports
  (close_inherited_descriptors && exec munged --force --num-threads=4 --origin=127.0.0.1 \
    --key-file="$cluster_dir/munge.key" \
    --socket="$cluster_dir/run/munge.sock" --pid-file="$cluster_dir/run/munged.pid" \
    --seed-file="$cluster_dir/run/munge.seed" --log-file="$cluster_dir/log/munged.log") ||
    die "munged did not start: $(tail -n 1 "$cluster_dir/log/munged.log")"
  (close_inherited_descriptors && exec slurmctld -f "$cluster_dir/etc/slurm.conf") ||
    die "slurmctld did not start"
  # It forks before it listens, and a slurmd that finds nobody waits a second before it tries again.
  wait_until 10 accepts_connection "${setting[port]}" || die "slurmctld does not listen"
  for host in $(print_node_names); do start_plain_node "$host"; done
}

start_plain_node() { # NODE
  (close_inherited_descriptors && exec slurmd -N "$1" -f "$cluster_dir/etc/slurm.conf") ||
    die "slurmd of $1 did not start"
}

accepts_connection() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; } # PORT

# slurmd forks before it binds, so a taken port would show only as a node that never comes.
refuse_taken_ports() {
  local port i
  for ((i = 0; i <= setting[nodes]; i++)); do
    port=$((setting[port] + i))
    accepts_connection "$port" || continue
    die "port $port is taken (another plain cluster?); choose another MUSTER_CLUSTER_PORT"
  done
}

# Ours are the daemons, by command line; slurmstepd, which overwrites command line and environment
# with its title, by its working directory; and what runs in a job or waits for one, by environment.
# A shell that only read `cluster env` is none of these.
print_plain_processes() {
  local file pid
  for file in $(grep -lsF -e "$cluster_dir/" /proc/[0-9]*/{cmdline,environ}) \
    $(find /proc/[0-9]*/cwd -maxdepth 0 -lname "$cluster_dir/*" 2>/dev/null); do
    pid=${file#/proc/} pid=${pid%/*}
    is_plain_process "$file" "$(readlink "/proc/$pid/exe")" && echo "$pid"
  done | sort -u
}

is_plain_process() { # FILE PROGRAM
  case $1:$2 in
    */cmdline:*/slurm* | */cmdline:*/munged | */cwd:*/slurm*) return 0 ;;
    */cmdline:* | */cwd:*) return 1 ;;
  esac
  grep -qzsxF "SLURM_CONF=$cluster_dir/etc/slurm.conf" "$1" || return 1
  case $2 in */srun | */salloc) return 0 ;; esac
  grep -qzsE '^(SLURM_JOB_ID|SLURMD_NODENAME)=' "$1"
}

# One look kills what it sees; what was forked meanwhile is seen by the next.
kill_plain_processes() {
  local pids
  pids=$(print_plain_processes)
  [ -z "$pids" ] && return 0
  kill -KILL $pids 2>/dev/null
  return 1
}

stop_plain() {
  wait_until 10 kill_plain_processes ||
    die "processes outlive SIGKILL: $(print_plain_processes | tr '\n' ' ')"
}
