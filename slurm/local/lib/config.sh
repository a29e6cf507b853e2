# The files of a cluster: slurm.conf and its companions, names, the munge key, the GPUs.

readonly login_number=254

print_address() { echo "${setting[net]}.$1"; } # NUMBER

write_configuration() {
  umask 022
  mkdir -p "$cluster_dir"/{etc,run,log,state,spool,dev}
  (umask 077 && head -c 128 /dev/urandom >"$cluster_dir/munge.key")
  write_gpus
  write_slurm_conf
  # slurmd looks for a cgroup plug-in even where nothing uses one, and dies where it finds neither
  # systemd's cgroup v2 nor a mounted v1. With the line it asks no more.
  echo CgroupPlugin=cgroup/v1 >"$cluster_dir/etc/cgroup.conf"
  [ "${setting[mode]}" = plain ] || write_names
}

# slurmd wants one file per GPU. A node of /dev/null satisfies it without being anybody's device;
# where none can be made an empty file does, at the price of a line in its log.
write_gpus() {
  local i
  for ((i = 0; i < setting[gpus]; i++)); do
    mknod "$cluster_dir/dev/nvidia$i" c 1 3 2>/dev/null || : >"$cluster_dir/dev/nvidia$i"
  done
  [ "${setting[gpus]}" -eq 0 ] ||
    echo "Name=gpu File=$cluster_dir/dev/nvidia[0-$((setting[gpus] - 1))]" >"$cluster_dir/etc/gres.conf"
}

# hosts for all nodes, and hosts.NODE where a node differs.
write_names() {
  local i own hosts=$cluster_dir/etc/hosts
  {
    printf '127.0.0.1 localhost\n::1 localhost\n'
    echo "$(print_address $login_number) login"
    for ((i = 1; i <= setting[nodes]; i++)); do echo "$(print_address "$i") node$i"; done
    if [ "${setting[net6]}" = 1 ]; then
      echo "fd77::$login_number login"
      for ((i = 1; i <= setting[nodes]; i++)); do echo "fd77::$i node$i"; done
    fi
  } >"$hosts"
  own=${setting[hosts_loopback]}
  [ "$own" = - ] || { echo "127.0.1.1 $own"; sed "/ $own\$/d" "$hosts"; } >"$hosts.$own"
  # A node has no way to a name server; without this each unknown name would ask one.
  if [ -e /etc/nsswitch.conf ]; then
    sed 's/^hosts:.*/hosts: files/' /etc/nsswitch.conf >"$cluster_dir/etc/nsswitch.conf"
  fi
}

print_node_lines() {
  local i resources="CPUs=${setting[cpus]} RealMemory=64000" port=${setting[port]} n=${setting[nodes]}
  [ "${setting[gpus]}" -eq 0 ] || resources="$resources Gres=gpu:${setting[gpus]}"
  if [ "${setting[mode]}" = plain ]; then
    echo "NodeName=node[1-$n] NodeHostname=$(hostname) NodeAddr=127.0.0.1" \
      "Port=[$((port + 1))-$((port + n))] $resources"
    return 0
  fi
  for ((i = 1; i <= n; i++)); do
    echo "NodeName=node$i NodeAddr=$(print_address "$i") Port=$((port + 1)) $resources"
  done
}

write_slurm_conf() {
  local user host munge_socket=''
  user=$(id -un)
  host="login($(print_address $login_number))"
  if [ "${setting[mode]}" = plain ]; then
    host="$(hostname)(127.0.0.1)"
    munge_socket="socket=$cluster_dir/run/munge.sock,"
  fi
  cat >"$cluster_dir/etc/slurm.conf" <<CONF
ClusterName=muster
SlurmctldHost=$host
SlurmctldPort=${setting[port]}
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
CredType=cred/munge
# A short life of credentials: a requeued job starts again after 13 s, not after two minutes.
AuthInfo=${munge_socket}cred_expire=5
StateSaveLocation=$cluster_dir/state
SlurmdSpoolDir=$cluster_dir/spool/%n
SlurmctldPidFile=$cluster_dir/run/slurmctld.pid
SlurmdPidFile=$cluster_dir/run/slurmd.%n.pid
SlurmctldLogFile=$cluster_dir/log/slurmctld.log
SlurmdLogFile=$cluster_dir/log/slurmd.%n.log
DebugFlags=NO_CONF_HASH
MailProg=/bin/true
ProctrackType=proctrack/${setting[proctrack]}
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
# The nodes have the CPUs and memory that this file says, whatever the machine has.
SlurmdParameters=config_overrides
SchedulerParameters=bf_interval=1,sched_min_interval=0,batch_sched_delay=0,sched_interval=1
ReturnToService=2
SlurmdTimeout=${setting[slurmd_timeout]}
SlurmctldTimeout=30
MessageTimeout=10
InactiveLimit=0
KillWait=${setting[killwait]}
MpiDefault=none
MpiParams=ports=20000-29999
PropagateResourceLimitsExcept=ALL
$([ "${setting[gpus]}" -eq 0 ] || echo GresTypes=gpu)
$([ "${setting[extra_conf]}" = - ] || echo "${setting[extra_conf]}")
$(print_node_lines)
PartitionName=main Nodes=node[1-${setting[nodes]}] Default=YES MaxTime=INFINITE State=UP
CONF
}

# For clients that are not started by `run`. In namespaces only processes of a node reach slurmctld.
print_client_environment() {
  echo "export SLURM_CONF=$cluster_dir/etc/slurm.conf"
  if [ "${setting[mode]}" = plain ]; then
    echo "export MUNGE_SOCKET=$cluster_dir/run/munge.sock"
  else
    echo "# good for a process inside a node only; from outside: cluster run CMD"
  fi
}
