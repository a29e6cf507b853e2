# Faults that one can make, and their cures. Each takes effect before it returns.

cut_node() { set_link cut "$1" down; }
heal_node() { set_link heal "$1" up; }

set_link() { # COMMAND NODE up|down
  local i
  require_namespaces "$1"
  i=$(print_node_number "$2") || exit
  print_init_pid "$2" >/dev/null || die "$2 is not running; start it with: cluster boot $2"
  enter_network login ip link set "veth$i" "$3" || die "cannot set the link of $2 $3"
}

# A token bucket at both ends of the cable: what the node sends, and what it is sent.
slow_node() { # NODE|all RATE|off
  local hosts=$1 host i rate
  require_namespaces slow
  command -v tc >/dev/null ||
    die --code 3 "slow needs tc (Debian package iproute2); install with: tests/install-packages slurm"
  rate=$(print_rate "$2") || exit
  [ "$1" = all ] && hosts=$(print_node_names)
  for host in $hosts; do
    i=$(print_node_number "$host") || exit
    shape_link login "veth$i" "$rate"
    shape_link "$host" eth0 "$rate"
  done
}

# RATE in kbit, or off.
print_rate() { # RATE
  local -A factor=([k]=1 [m]=1000 [g]=1000000)
  local unit
  [ "$1" = off ] && echo off && return 0
  [[ $1 =~ ^([1-9][0-9]{0,5})([kmg])bit$ ]] ||
    die --code 2 "slow: rate '$1', expected a number with kbit, mbit or gbit (50mbit), or off"
  unit=${BASH_REMATCH[2]}
  echo $((BASH_REMATCH[1] * factor[$unit]))
}

shape_link() { # HOST DEVICE KBIT|off
  local burst output
  if [ "$3" = off ]; then
    enter_network "$1" tc qdisc del dev "$2" root 2>/dev/null # fails where there is no cap
    return 0
  fi
  # The bucket must hold one of the 64 kB bundles that TCP hands down, and 1 ms at high rates.
  burst=$(($3 / 8 > 65536 ? $3 / 8 : 65536))
  output=$(enter_network "$1" tc qdisc replace dev "$2" root tbf rate "${3}kbit" burst "$burst" \
    latency 100ms 2>&1) ||
    die --code 3 "slow: this machine's kernel cannot shape a link (sch_tbf): ${output//$'\n'/ }"
}

# The cable goes first: a dying process's FIN must not reach anybody.
crash_node() { # NODE
  local i
  require_namespaces crash
  i=$(print_node_number "$1") || exit
  print_init_pid "$1" >/dev/null || { echo "cluster: $1 is crashed already"; return 0; }
  set_link crash "$1" down
  stop_hosts "$1"
  # The kernel takes the cable away later, on its own; a boot before that would find its name taken.
  enter_network login ip link del "veth$i" 2>/dev/null
  true
}

boot_node() { # NODE
  print_node_number "$1" >/dev/null || exit
  if runs_daemon "$1" "slurmd.$1.pid"; then
    echo "cluster: $1 is running"
    return 0
  fi
  lock_directory
  if [ "${setting[mode]}" = plain ]; then
    start_plain_node "$1"
  elif print_init_pid "$1" >/dev/null; then # slurmd alone died
    (close_inherited_descriptors && enter_host "$1" slurmd -N "$1" -f "$cluster_dir/etc/slurm.conf") ||
      die "slurmd of $1 did not start"
  else
    open_events
    launch_node "$1" -b # -b: tell slurmctld that this is a reboot
    await_nodes "$1"
    disown -a
  fi
  wait_until "$up_deadline_s" is_responding "$1" || die "$1 did not register in $up_deadline_s s"
}

is_responding() { # NODE
  case $(enter_host login sinfo --noheader --nodes="$1" --format=%T 2>/dev/null) in
    '' | *\* | down* | unknown* | *reboot*) return 1 ;;
  esac
}

freeze_node() { signal_node freeze "$1" STOP; }
thaw_node() { signal_node thaw "$1" CONT; }

signal_node() { # COMMAND NODE SIGNAL: to all of NODE but its first process
  require_namespaces "$1"
  print_node_number "$2" >/dev/null || exit
  enter_host "$2" bash -c "kill -$3 -1"
}
