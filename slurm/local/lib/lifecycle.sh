# up, down and status.

readonly up_deadline_s=30

is_up() { runs_daemon login slurmctld.pid; }

start_cluster() { # [NODES]
  local started
  started=$(print_milliseconds)
  require_programs
  read_settings "${1:-4}"
  lock_directory
  trap abandon_start EXIT
  if load_settings; then
    if is_up; then
      trap - EXIT
      refuse_other_settings "${1:-}"
      echo "cluster: up already, $(print_summary)"
      return 0
    fi
    remove_cluster keep-lock # left by a reboot, a crash or a failed up
    read_settings "${1:-4}"
  fi
  choose_mode
  refuse_impossible_settings
  save_settings # from here on `down` knows the directory for ours
  write_configuration
  if [ "${setting[mode]}" = plain ]; then start_plain; else start_nodes; fi
  await_idle_nodes
  trap - EXIT
  echo "cluster: up, $(print_summary), $(($(print_milliseconds) - started)) ms"
}

# A failed or interrupted `up` leaves no process; its logs stay until the next `up` or `down`.
abandon_start() {
  trap '' HUP INT TERM
  trap - EXIT
  if [ -f "$cluster_dir/settings" ]; then stop_processes; else remove_directory; fi
}

print_summary() {
  echo "${setting[nodes]} nodes x ${setting[gpus]} GPUs, mode ${setting[mode]}, in $cluster_dir"
}

# Fills in setting[mode] where it is auto.
choose_mode() {
  local reason
  [ "${setting[mode]}" != plain ] || return 0
  if reason=$(probe_namespaces); then
    setting[mode]=namespaces
    return 0
  fi
  [ "${setting[mode]}" = auto ] || die --code 3 "no namespaces here: $reason"
  setting[mode]=plain
  echo "cluster: mode plain, several slurmd on one address, since there are no namespaces here" \
    "($reason); cut, slow and crash need them$(print_sudo_advice)" >&2
}

print_sudo_advice() {
  [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null || return 0
  echo ": put sudo before this and all later cluster commands (sudo MUSTER_CLUSTER_...=... $0 up)"
}

refuse_impossible_settings() {
  local own=${setting[hosts_loopback]}
  [ "$own" = - ] || [ "${own#node}" -le "${setting[nodes]}" ] ||
    die --code 2 "MUSTER_CLUSTER_HOSTS_LOOPBACK is '$own'; there are node1 to node${setting[nodes]}"
  [ "${setting[proctrack]}" != cgroup ] || [ -w /sys/fs/cgroup/freezer ] ||
    die --code 3 "MUSTER_CLUSTER_PROCTRACK=cgroup needs a writable /sys/fs/cgroup/freezer (cgroup v1)"
  [ "${setting[mode]}" = plain ] || [ -e /etc/hosts ] || echo '127.0.0.1 localhost' >/etc/hosts ||
    die --code 3 "there is no /etc/hosts to cover, and none can be made"
}

# One loop on the login node, so that each look costs a sinfo and no more.
await_idle_nodes() {
  enter_host login bash -c '
    want="idle $1" deadline=$((SECONDS + $2))
    until [ "$(sinfo --noheader --format="%T %D" 2>&1)" = "$want" ]; do
      [ "$SECONDS" -lt "$deadline" ] || exit 1
      sleep 0.02
    done' await "${setting[nodes]}" "$up_deadline_s" ||
    die "not all nodes idle after $up_deadline_s s: $(enter_host login sinfo --noheader \
      --Node --format='%N %T %E' 2>&1 | tr '\n' ';') (logs in $cluster_dir/log)"
}

stop_cluster() {
  if [ ! -e "$cluster_dir" ]; then
    echo "cluster: down already"
    return 0
  fi
  [ -f "$cluster_dir/settings" ] || [ -z "$(find "$cluster_dir" -mindepth 1 ! -name lock -print -quit)" ] ||
    die "$cluster_dir is not a cluster's directory; nothing touched"
  lock_directory
  load_settings
  remove_cluster
  echo "cluster: down"
}

stop_processes() {
  if [ "${setting[mode]:-plain}" = plain ]; then stop_plain; else stop_hosts --all; fi
}

remove_cluster() { # [keep-lock]
  stop_processes
  remove_cgroups
  find "$cluster_dir" -xdev -depth -mindepth 1 ! -path "$cluster_dir/lock" -delete
  [ "${1:-}" = keep-lock ] || remove_directory
}

remove_directory() {
  rm -f "$cluster_dir/lock"
  rmdir "$cluster_dir" 2>/dev/null # not empty where another `up` has come meanwhile
  true
}

# A cgroup is removed by rmdir, children first, once its last process is reaped.
remove_cgroups() {
  local top=/sys/fs/cgroup/freezer/muster-cluster.${cluster_dir//\//_}
  [ ! -d "$top" ] || wait_until 5 rmdir_tree "$top" || die "cannot remove $top"
}

rmdir_tree() {
  find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
  [ ! -d "$1" ]
}

print_status() {
  local host state
  if ! is_up; then
    echo "cluster: down, though $cluster_dir is there; cluster down removes it"
    exit 1
  fi
  echo "cluster: up, $(print_summary)"
  enter_host login sinfo --Node --format='%8N %10T %6c %10G %E'
  [ "${setting[mode]}" = namespaces ] || return 0
  for host in $(print_node_names); do
    state=$(print_link_state "$host")
    echo "$host $(print_address "${host#node}") $state"
  done
}

print_link_state() { # NODE
  local link rate
  print_init_pid "$1" >/dev/null || { echo crashed; return 0; }
  link=$(enter_network login ip -oneline link show "veth${1#node}" 2>/dev/null)
  case $link in *[,\<]UP[,\>]*) ;; *) echo cut; return 0 ;; esac
  rate=$(enter_network login tc qdisc show dev "veth${1#node}" 2>/dev/null |
    sed -n 's/^qdisc tbf .* rate \([^ ]*\) .*/slow \1/p')
  echo "${rate:-connected}"
}
