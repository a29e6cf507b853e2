# Nodes in namespaces: start one, enter one, find what is left of one.
# run/HOST.init holds "pid start-time net-namespace mount-namespace" of the node's first process.

print_init_pid() { print_live_pid "$cluster_dir/run/$1.init"; } # HOST

# Tries all that a node needs, in a namespace that ends with the probe. Prints the reason if it fails.
probe_namespaces() {
  local reason
  reason=$(unshare --net --uts --ipc --pid --mount --fork --propagation private sh -c '
    mount -t proc proc /proc && ip link add probe0 type veth peer name probe1 &&
    ip link add bridge0 type bridge' 2>&1) && return 0
  echo "${reason%%$'\n'*}"
  return 1
}

declare -gA launched_pid=()

open_events() {
  rm -f "$cluster_dir/run/events"
  mkfifo "$cluster_dir/run/events" || die "cannot make a fifo in $cluster_dir/run"
  exec {events_fd}<>"$cluster_dir/run/events"
}

# Starts the first process of HOST; it tells its progress through the events fifo.
launch_node() { # HOST [SLURMD-OPTION]
  rm -rf "$cluster_dir/run/$1.init" "$cluster_dir/spool/$1"
  (
    close_inherited_descriptors
    exec setsid unshare --net --uts --ipc --pid --mount --fork --kill-child --propagation private \
      bash "$source_dir/lib/node_init.sh" "$cluster_dir" "$@"
  ) </dev/null >>"$cluster_dir/log/$1.log" 2>&1 &
  launched_pid[$1]=$!
}

# Waits until all HOSTs have reported. Ends at once when one fails or dies.
await_nodes() { # HOST...
  local host word rest deadline=$((SECONDS + up_deadline_s))
  local -A missing=()
  for host; do missing[$host]=1; done
  while [ ${#missing[@]} -gt 0 ]; do
    if read -r -t 0.25 -u "$events_fd" host word rest; then
      [ "$word" = ready ] || die "$host: $rest (see $cluster_dir/log)"
      unset "missing[$host]"
      continue
    fi
    for host in "${!missing[@]}"; do
      kill -0 "${launched_pid[$host]}" 2>/dev/null ||
        die "$host ended at its start: $(tail -n 1 "$cluster_dir/log/$host.log")"
    done
    [ "$SECONDS" -lt "$deadline" ] || die "no word from ${!missing[*]} for $up_deadline_s s"
  done
}

start_nodes() {
  local host
  open_events
  launch_node login
  await_nodes login
  for host in $(print_node_names); do launch_node "$host"; done
  await_nodes $(print_node_names)
  disown -a
}

# Fills `entry` with the words that, put before a command, run it on HOST with its working directory,
# standard streams and exit code. The command is told when nsenter, its parent out here, is killed.
prepare_entry() { # HOST
  local pid
  [ "$1" = login ] || print_node_number "$1" >/dev/null || exit
  export SLURM_CONF=$cluster_dir/etc/slurm.conf
  if [ "${setting[mode]}" = plain ]; then
    export MUNGE_SOCKET=$cluster_dir/run/munge.sock
    entry=(env --)
    return 0
  fi
  pid=$(print_init_pid "$1") || die "$1 is not running; start it with: cluster boot $1"
  entry=(nsenter --target "$pid" --mount --uts --ipc --net --pid --root --wd="$PWD" --
    setpriv --pdeathsig TERM --)
}

enter_host() { # HOST CMD...
  local entry
  prepare_entry "$1"
  shift
  "${entry[@]}" "$@"
}

# As enter_host, for good: who signals or waits for `cluster run` has the command, no shell between.
become_host_command() { # HOST CMD...
  local entry
  prepare_entry "$1"
  shift
  exec "${entry[@]}" "$@"
}

# Runs a command in the network of HOST only: the processes of this machine stay visible.
enter_network() { # HOST CMD...
  local pid
  pid=$(print_init_pid "$1") || die "$1 is not running; start it with: cluster boot $1"
  shift
  nsenter --target "$pid" --net -- "$@"
}

# A daemon's pid file holds a pid of the node, so look at the node's own /proc.
runs_daemon() { # HOST PIDFILE
  local init pid
  { read -r pid <"$cluster_dir/run/$2"; } 2>/dev/null || return 1
  if [ "${setting[mode]}" = plain ]; then
    print_start_time "$pid" >/dev/null && grep -qF "$cluster_dir" "/proc/$pid/cmdline" 2>/dev/null
  else
    init=$(print_init_pid "$1") && print_start_time "$pid" "/proc/$init/root/proc" >/dev/null
  fi
}

# Processes of this machine that somebody put into the namespaces of a node without joining its
# pid namespace (`nsenter --net`): the death of the node does not take them along.
print_strays() { # NAMESPACE...
  local name tests=()
  for name; do tests+=(-o -lname "${name/\[/\\[}"); done
  [ ${#tests[@]} -gt 0 ] || return 0
  find /proc/[0-9]*/ns/{net,mnt} -maxdepth 0 \( "${tests[@]:1}" \) 2>/dev/null |
    sed 's,^/proc/\([0-9]*\)/.*,\1,' | sort -u
}

has_no_strays() { [ -z "$(print_strays "$@")" ]; }

kill_strays() { # NAMESPACE...
  has_no_strays "$@" && return 0
  kill -KILL $(print_strays "$@") 2>/dev/null
  wait_until 5 has_no_strays "$@" ||
    die "processes outlive SIGKILL: $(print_strays "$@" | tr '\n' ' ')"
}

# Every unshare and first process of this cluster by command line: an `up` that was killed may not
# have come to write their files.
print_launched_pids() {
  local file pid
  for file in $(grep -lzsxF -e "$cluster_dir" /proc/[0-9]*/cmdline); do
    pid=${file#/proc/}
    grep -qzsF /lib/node_init.sh "$file" && echo "${pid%/cmdline}"
  done
}

# One look kills what it sees; what was forked meanwhile is seen by the next.
kill_launched() {
  local pids
  pids=$(print_launched_pids)
  [ -n "$pids" ] || return 0
  kill_processes $pids
  return 1
}

# Ends HOSTs, or everything: with a pid namespace's first process the kernel kills all others in it,
# whatever session or parent they have.
stop_hosts() { # --all | HOST...
  local file pid net mnt launched files=() pids=() namespaces=()
  if [ "$1" = --all ]; then
    files=("$cluster_dir"/run/*.init)
    # Our jobs too: an interrupted `up`, before their exec. Not pids=($(...)): a signal that comes
    # while bash 5.2 reads such a list makes it read the trap as a part of the list, and is lost.
    launched=$(print_launched_pids; jobs -p)
    pids=($launched)
  else
    files=("${@/#/$cluster_dir/run/}")
    files=("${files[@]/%/.init}")
  fi
  for file in "${files[@]}"; do
    # Of a dead node we ask nothing: the numbers of its namespaces may be another's by now.
    pid=$(print_live_pid "$file") || continue
    read -r _ _ net mnt <"$file"
    pids+=("$pid")
    namespaces+=("$net" "$mnt")
  done
  kill_processes "${pids[@]}"
  [ "$1" != --all ] || wait_until 10 kill_launched || die "cannot end $(print_launched_pids)"
  kill_strays "${namespaces[@]}"
}
