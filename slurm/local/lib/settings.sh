# Settings and the state directory: read from the environment at `up`, stored there, read back by
# every other command.

declare -gA setting=()

# name, default, what a value must look like
readonly setting_table='
mode           auto       auto|namespaces|plain
net            10.77.0    [0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}
net6           0          0|1
gpus           8          [0-9]|[1-5][0-9]|6[0-4]
cpus           64         [1-9][0-9]{0,3}
proctrack      linuxproc  linuxproc|pgid|cgroup
slurmd_timeout 10         [0-9]{1,5}
killwait       5          [0-9]{1,5}
port           17000      [1-9][0-9]{3,4}
hosts_loopback -          -|node[1-9][0-9]{0,2}
extra_conf     -          (.|[[:space:]])*
'

choose_directory() {
  cluster_dir=${MUSTER_CLUSTER_DIR:-/tmp/muster-cluster.$(id -u)}
  cluster_dir=$(readlink -m -- "$cluster_dir")
  # Slurm's files know no quoting, and a socket's path holds 107 bytes.
  [[ $cluster_dir =~ ^/[A-Za-z0-9._/-]+$ && ${#cluster_dir} -le 80 ]] ||
    die --code 2 "MUSTER_CLUSTER_DIR is '$cluster_dir'; it must be a path of at most 80 letters," \
      "digits, dots and dashes, no blanks"
  [ ! -e "$cluster_dir" ] || [ -O "$cluster_dir" ] ||
    die "$cluster_dir belongs to another user; put sudo -u $(stat -c %U "$cluster_dir") before the" \
      "command, or choose another MUSTER_CLUSTER_DIR"
}

# From inside a node the state directory is visible but its pids mean other processes.
refuse_inside_a_node() {
  [ ! -e /run/muster-cluster-node ] ||
    die --code 3 "this is $(</run/muster-cluster-node), a node of a cluster; call cluster outside"
}

# Fills `setting` from MUSTER_CLUSTER_*; ends on a value that does not fit.
read_settings() { # NODES
  local name default pattern variable value
  while read -r name default pattern; do
    [ -n "$name" ] || continue
    variable=MUSTER_CLUSTER_${name^^}
    value=${!variable:-$default}
    [[ $value =~ ^($pattern)$ ]] ||
      die --code 2 "$variable is '$value', expected $pattern"
    setting[$name]=$value
  done <<<"$setting_table"
  [[ $1 =~ ^[1-9][0-9]{0,2}$ && $1 -le 250 ]] || die --code 2 "up $1: expected a number of nodes, 1 to 250"
  setting[nodes]=$1
}

save_settings() { declare -p setting >"$cluster_dir/settings"; }

load_settings() {
  [ -f "$cluster_dir/settings" ] || return 1
  . <(sed '1s/^declare -A/declare -gA/' "$cluster_dir/settings")
}

# `up` on a running cluster: what was asked for by name must be what is there.
refuse_other_settings() { # NODES or nothing
  local name default pattern variable
  [ -z "${1:-}" ] || [ "$1" = "${setting[nodes]}" ] ||
    die "up with ${setting[nodes]} nodes, not $1; run cluster down first"
  while read -r name default pattern; do
    [ -n "$name" ] || continue
    variable=MUSTER_CLUSTER_${name^^}
    case ${!variable:-} in '' | auto | "${setting[$name]}") continue ;; esac
    die "up with $variable=${setting[$name]}, not ${!variable}; run cluster down first"
  done <<<"$setting_table"
}

print_node_names() {
  local i
  for ((i = 1; i <= setting[nodes]; i++)); do echo "node$i"; done
}

# The number of a node of this cluster; ends on any other name.
print_node_number() { # NODE
  local i=${1#node}
  [[ $1 == node* && $i =~ ^[1-9][0-9]*$ && $i -le ${setting[nodes]} ]] ||
    die --code 2 "no node '$1'; there are node1 to node${setting[nodes]}"
  echo "$i"
}

require_namespaces() { # COMMAND
  [ "${setting[mode]}" = namespaces ] ||
    die --code 3 "$1 needs a node in namespaces; this cluster is ${setting[mode]} (see README.md)"
}

# One `up` or `down` at a time. The directory may go while we wait for the lock in it; then the lock
# we got is of a file that is no longer there, and we take the new one.
lock_directory() {
  while :; do
    mkdir -p "$cluster_dir" || die "cannot make $cluster_dir"
    exec {lock_fd}<>"$cluster_dir/lock" || die "cannot write in $cluster_dir"
    flock -w 60 "$lock_fd" || die "another up or down has held $cluster_dir/lock for 60 s"
    [ "/proc/self/fd/$lock_fd" -ef "$cluster_dir/lock" ] && return 0
    exec {lock_fd}>&-
  done
}
