# The first process of a node: builds the node around itself, starts its daemons, then reaps.
# usage: bash node_init.sh STATE-DIRECTORY HOST [SLURMD-OPTION]
# It runs in fresh net, uts, ipc, pid and mount namespaces. Its death is the node's death.
set -u
cluster_dir=$1 host=$2 slurmd_option=${3:-}
. "$(dirname "$0")/processes.sh"
. "$cluster_dir/settings"

report() { echo "$host $*" >"$cluster_dir/run/events"; }
die() { report failed "$*"; exit 1; }

# /proc is still the machine's: the pid we read there is the one that the machine sees.
remember_ourselves() {
  read -r outer_pid _ </proc/self/stat
  echo "$outer_pid $(print_start_time "$outer_pid")" \
    "$(readlink "/proc/$outer_pid/ns/net")" "$(readlink "/proc/$outer_pid/ns/mnt")" \
    >"$cluster_dir/run/$host.init"
}

# Fixed MAC addresses: with random ones the bridge changes its own at each joining node, and a
# rebooted node would be unknown to its neighbours' caches.
build_login_network() {
  ip -batch - <<COMMANDS
link set lo up
link add bridge0 address 02:77:00:00:00:fe type bridge
addr add ${setting[net]}.254/24 dev bridge0
link set bridge0 up
COMMANDS
  [ "${setting[net6]}" = 0 ] || ip addr add fd77::254/64 dev bridge0 nodad
}

# A cable from eth0 here to port vethI of the login node's bridge.
build_node_network() { # NUMBER
  local i=$1 login_pid mac
  mac=$(printf '02:77:00:00:00:%02x' "$i")
  read -r login_pid _ <"$cluster_dir/run/login.init"
  nsenter --target "$login_pid" --net ip -batch - <<COMMANDS || return 1
link add veth$i type veth peer name eth0 address $mac netns /proc/$outer_pid/ns/net
link set veth$i master bridge0 up
COMMANDS
  ip -batch - <<COMMANDS || return 1
link set lo up
addr add ${setting[net]}.$i/24 dev eth0
link set eth0 up
COMMANDS
  [ "${setting[net6]}" = 0 ] || ip addr add "fd77::$i/64" dev eth0 nodad
}

cover_file() { # SOURCE TARGET: the node sees SOURCE in the place of TARGET, where both exist
  [ ! -e "$1" ] || [ ! -e "$2" ] || mount --bind "$1" "$2"
}

build_file_system() {
  local hosts=$cluster_dir/etc/hosts.$host
  [ -e "$hosts" ] || hosts=$cluster_dir/etc/hosts
  mount -t proc proc /proc &&
    mount -t tmpfs -o mode=755 tmpfs /run && # munged's default socket is in /run
    mkdir /run/munge /run/lock &&
    cover_file "$hosts" /etc/hosts &&
    cover_file "$cluster_dir/etc/nsswitch.conf" /etc/nsswitch.conf &&
    cover_file "$cluster_dir/etc" /etc/slurm || return 1
  [ ! -d /dev/shm ] || mount -t tmpfs -o mode=1777 tmpfs /dev/shm || return 1
  # Slurm makes cgroups named after the node; two clusters must not meet there.
  if [ "${setting[proctrack]}" = cgroup ]; then
    local freezer=/sys/fs/cgroup/freezer
    local own=$freezer/muster-cluster.${cluster_dir//\//_}/$host
    mkdir -p "$own" && mount --bind "$own" "$freezer" || return 1
  fi
  echo "$host" >/run/muster-cluster-node
}

# --force: the state directory is ours, however open the directories above it are.
start_munged() {
  munged --force --num-threads=2 --key-file="$cluster_dir/munge.key" \
    --pid-file=/run/munge/munged.pid --seed-file=/run/munge/seed \
    --log-file="$cluster_dir/log/munged.$host.log"
}

start_slurm() {
  if [ "$host" = login ]; then
    slurmctld -f "$cluster_dir/etc/slurm.conf"
  else
    slurmd -N "$host" -f "$cluster_dir/etc/slurm.conf" $slurmd_option
  fi
}

main() {
  remember_ourselves || die "cannot read /proc"
  hostname "$host" || die "cannot set the host name"
  if [ "$host" = login ]; then build_login_network; else build_node_network "${host#node}"; fi ||
    die "cannot build the network"
  build_file_system || die "cannot build the file system"
  start_munged || die "munged did not start: $(tail -n 1 "$cluster_dir/log/munged.$host.log")"
  start_slurm || die "Slurm's daemon did not start"
  report ready
  # In `wait` bash reaps every orphan of the node, as a first process must; in `read` it does not.
  while :; do
    sleep infinity &
    wait $!
  done
}

main
