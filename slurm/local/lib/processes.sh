# Processes by pid and start time, so that a stale file never names a stranger; waits with deadlines.

# The start time of a process in clock ticks since boot; fails for a dead one. A zombie is dead:
# in containers whose pid 1 does not reap, `kill -0` succeeds on it for ever.
print_start_time() { # PID [PROC]
  local stat
  { stat=$(<"${2:-/proc}/$1/stat"); } 2>/dev/null || return 1
  stat=${stat##*) } # the name before it may hold blanks and parentheses
  set -- $stat
  case $1 in Z | X) return 1 ;; esac
  echo "${20}"
}

# Prints the pid stored in FILE ("pid start-time ...") while that very process lives.
print_live_pid() { # FILE
  local pid start rest now
  { read -r pid start rest <"$1"; } 2>/dev/null || return 1
  now=$(print_start_time "$pid") && [ "$now" = "$start" ] && echo "$pid"
}

# Sleeps without a process. A fifo that nobody writes keeps `read` waiting until its time is up.
pause() { # SECONDS
  [ -n "${pause_fd:-}" ] || exec {pause_fd}<> <(:)
  read -r -t "$1" -u "$pause_fd"
  true
}

# Calls CONDITION with its arguments until it succeeds, for SECONDS at most.
wait_until() { # SECONDS CONDITION...
  local deadline=$((SECONDS + $1 + 1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    pause 0.01
  done
}

are_dead() { # PID...
  local pid
  for pid; do print_start_time "$pid" >/dev/null && return 1; done
  return 0
}

kill_processes() { # PID...
  [ $# -gt 0 ] || return 0
  kill -KILL "$@" 2>/dev/null
  wait_until 10 are_dead "$@" || die "one of these processes outlives SIGKILL: $*"
}

# A daemon must not hold what our caller has open: a pipe's reader would wait for it for ever.
close_inherited_descriptors() {
  local fd
  for fd in /proc/self/fd/*; do
    fd=${fd##*/}
    case $fd in 0 | 1 | 2 | 255) ;; *) eval "exec $fd>&-" 2>/dev/null ;; esac # 255: this script
  done
}

print_milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
