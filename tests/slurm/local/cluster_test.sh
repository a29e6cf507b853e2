#!/bin/bash
# cluster_test.sh: tests of slurm/local/cluster itself, against real Slurm.
#
# usage: cluster_test.sh [TEST...]      (default: all; the names are the functions test_* below)
#
# It has its own state directory, subnet and ports, so another cluster may run beside it. Tests in
# namespaces need root and are skipped, with the reason, where that is missing.
# Exit codes: 0 all passed or skipped; 1 one failed.
set -u
here=$(dirname "$(readlink -f "$0")")
program=$here/../../../slurm/local/cluster
scratch=$(mktemp -d /tmp/cluster-test.XXXXXX)
chmod 755 "$scratch"
state=$scratch/state
failures=0
readonly here program scratch state
readonly deadline_s=30

# The variables go to the program alone: the traces of the cluster are looked up by its directory,
# and the processes of this test must not bear it.
cluster() {
  env MUSTER_CLUSTER_DIR="$state" MUSTER_CLUSTER_NET=10.78.3 MUSTER_CLUSTER_PORT=27300 \
    ${mode:+MUSTER_CLUSTER_MODE=$mode} ${extra_setting:-} timeout "$deadline_s" "$program" "$@"
}

as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

fail() {
  echo "    $*"
  test_failed=1
}

expect_equal() { # WHAT EXPECTED ACTUAL
  [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

expect_match() { # WHAT PATTERN ACTUAL
  [[ $3 =~ $2 ]] || fail "$1: expected a match of '$2', got '$3'"
}

expect_code() { # CODE CMD...
  local want=$1 got output
  shift
  output=$("$@" 2>&1)
  got=$?
  [ "$got" = "$want" ] || fail "'$*' exits $got, expected $want: $output"
}

wait_for() { # CMD...: until it succeeds
  local end=$((SECONDS + deadline_s))
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || { fail "still not true after $deadline_s s: $*"; return 1; }
    sleep 0.02
  done
}

connects() { # FROM TO: one TCP connection to TO's slurmd
  cluster exec "$1" timeout "${3:-1}" bash -c "exec 3<>/dev/tcp/$2/27301" 2>/dev/null
}

# Seconds of a transfer between two nodes.
measure_transfer() { # FROM TO BYTES
  local port
  exec {server}< <(cluster exec "$2" python3 "$here/transfer.py" serve)
  read -r -t "$deadline_s" -u "$server" port || { fail "no server on $2"; return 1; }
  cluster exec "$1" python3 "$here/transfer.py" send "$2" "$port" "$3"
  exec {server}<&-
}

# Processes and mounts that still name the state directory, in any state but a zombie's.
print_traces() { # [STATE-DIRECTORY]
  local directory=${1:-$state}
  grep -lsF -f <(echo "$directory") /proc/[0-9]*/{cmdline,environ,mountinfo}
  find /proc/[0-9]*/cwd -maxdepth 0 -lname "$directory*" 2>/dev/null
  find /sys/fs/cgroup -maxdepth 2 -name 'muster-cluster.*cluster-test*' 2>/dev/null
}

has_no_traces() { [ -z "$(print_traces)" ]; }

runs_a_job() { [ -n "$("$1" run squeue --noheader --states=RUNNING)" ]; } # CLUSTER-FUNCTION

runs_nothing_with() { [ -z "$(print_processes_with "$1")" ]; }

print_processes_with() { # WORD in the command line
  grep -lszxF -f <(echo "$1") /proc/[0-9]*/cmdline
}

test_four_nodes_have_four_names_and_addresses() {
  local out
  out=$(cluster run srun -N4 -n4 bash -c 'echo $(hostname) $(hostname -i)' | sort | tr '\n' ' ')
  expect_equal "srun -N4" "node1 10.78.3.1 node2 10.78.3.2 node3 10.78.3.3 node4 10.78.3.4 " "$out"
}

test_up_again_changes_nothing() {
  local before after
  before=$(cat "$state/run/login.init")
  expect_match "second up" 'up already, 4 nodes' "$(cluster up)"
  after=$(cat "$state/run/login.init")
  expect_equal "the login node" "$before" "$after"
  expect_match "up with another size" 'up with 4 nodes, not 3' "$(cluster up 3 2>&1)"
}

test_each_node_has_eight_gpus_and_its_own_munge() {
  local out
  out=$(cluster run srun -N4 --gpus-per-node=8 bash -c 'echo $CUDA_VISIBLE_DEVICES' | sort -u)
  expect_equal "GPUs" 0,1,2,3,4,5,6,7 "$out"
  cluster exec node1 munge -n >"$scratch/credential"
  expect_match "unmunge on node2" 'ENCODE_HOST: *node1 \(10.78.3.1\)' \
    "$(cluster exec node2 unmunge --input="$scratch/credential" | grep ENCODE_HOST)"
}

test_cut_loses_packets_and_heal_restores() {
  connects node1 node2 || fail "node2 unreachable before the cut"
  cluster cut node2
  connects node1 node2 && fail "node2 reachable after cut"
  connects node1 node3 || fail "the cut of node2 hit node3"
  expect_match status 'node2 10.78.3.2 cut' "$(cluster status)"
  cluster heal node2
  connects node1 node2 5 || fail "node2 unreachable after heal"
}

test_slow_slows_both_directions() {
  local fast out in
  fast=$(measure_transfer node1 node3 4000000)
  expect_code 0 cluster slow node3 20mbit # 4 MB take 1.6 s
  out=$(measure_transfer node3 node1 4000000)
  in=$(measure_transfer node1 node3 4000000)
  cluster slow node3 off
  awk -v f="$fast" -v o="$out" -v i="$in" 'BEGIN { exit !(f && o > 1.2 && o < 8 && i > 1.2 && i < 8) }' ||
    fail "seconds for 4 MB: uncapped $fast, from the capped node $out, to it $in; expected about 1.6"
  expect_match status 'node3 10.78.3.3 connected' "$(cluster status)"
  expect_code 2 cluster slow node3 fast
}

test_crashed_node_is_gone_until_booted() {
  cluster crash node4
  expect_match status 'node4 10.78.3.4 crashed' "$(cluster status)"
  expect_code 1 cluster exec node4 true
  expect_code 0 cluster boot node4
  expect_equal "srun on it" node4 "$(cluster run srun -w node4 hostname)"
}

test_frozen_node_answers_by_kernel_only() {
  cluster freeze node4
  connects node1 node4 || fail "the kernel of a frozen node must accept"
  expect_match "slurmd's state" T "$(cluster exec node4 sh -c "sed -n 's/^State:.//p' \
    /proc/\$(cat $state/run/slurmd.node4.pid)/status")"
  cluster thaw node4
  expect_equal "srun on it" node4 "$(cluster run srun -w node4 hostname)"
}

test_ordinary_user_may_submit() {
  expect_equal "uids" "65534 65534 65534 65534 " \
    "$(cluster run setpriv --reuid=65534 --regid=65534 --clear-groups \
      srun --chdir=/tmp -N4 id -u | tr '\n' ' ')"
}

test_exit_code_of_the_command_passes() {
  expect_code 7 cluster run sh -c 'exit 7'
  expect_code 5 cluster run srun sh -c 'exit 5'
}

test_node_refuses_to_manage_its_cluster() {
  expect_match "down inside" 'a node of a cluster' "$(cluster exec node1 "$program" down 2>&1)"
}

test_unknown_words_are_refused() {
  expect_code 2 cluster cut node9
  expect_code 2 cluster fly
  expect_code 2 cluster up many
  expect_code 2 cluster run
}

# The job's child leaves its session, its parent and its environment.
test_down_leaves_nothing() {
  local mark=98765$$
  cluster run srun -N1 bash -c "env -i setsid sleep $mark </dev/null >/dev/null 2>&1 &"
  [ -n "$(print_processes_with $mark)" ] || fail "the escapee does not run"
  nsenter --target "$(cut -d' ' -f1 "$state/run/node1.init")" --net env -i sleep $mark &
  cluster run srun -N4 sleep 1000 >/dev/null 2>&1 &
  wait_for runs_a_job cluster
  expect_code 0 cluster down
  wait
  expect_equal "processes left" '' "$(print_processes_with $mark)"
  expect_equal "traces left" '' "$(print_traces)"
  [ ! -e "$state" ] || fail "$state is still there"
  expect_match "second down" 'down already' "$(cluster down)"
}

test_up_after_a_power_failure_of_the_machine() {
  cluster up 2 >/dev/null
  local pid
  for pid in $(cut -d' ' -f1 "$state"/run/*.init); do kill -KILL "$pid"; done
  expect_code 1 cluster status
  expect_match "up on stale state" 'up, 2 nodes' "$(cluster up 2)"
  expect_code 0 cluster run srun -N2 true
  cluster down >/dev/null
}

interrupt_up() { # SIGNAL SECONDS
  env MUSTER_CLUSTER_DIR="$state" timeout -s "$1" "$2" "$program" up >/dev/null 2>&1
}

test_interrupted_up_leaves_no_process() {
  local after
  for after in 0.02 0.05 0.1 0.15; do
    interrupt_up TERM "$after"
    wait_for has_no_traces # a command that the signal left alone comes to its own end
  done
  cluster down >/dev/null
}

is_whole_or_gone() { cluster status || has_no_traces; }

# bash loses a SIGINT in the instant between the end of a command and its own look at it, trap or
# not. Then `up` goes on to its end, and the cluster must be whole.
test_up_after_control_c_is_whole_or_nothing() {
  local after
  for after in 0.02 0.05 0.1 0.15; do
    interrupt_up INT "$after"
    wait_for is_whole_or_gone
    cluster down >/dev/null
  done
}

test_own_name_may_resolve_to_loopback() {
  extra_setting=MUSTER_CLUSTER_HOSTS_LOOPBACK=node2 cluster up 2 >/dev/null
  expect_equal "node2 on itself" 127.0.1.1 "$(cluster exec node2 getent ahostsv4 node2 | sed 's/ .*//;q')"
  expect_equal "node2 on node1" 10.78.3.2 "$(cluster exec node1 getent ahostsv4 node2 | sed 's/ .*//;q')"
  expect_code 0 cluster run srun -N2 true
  cluster down >/dev/null
}

test_nodes_may_have_ipv6() {
  extra_setting=MUSTER_CLUSTER_NET6=1 cluster up 2 >/dev/null
  connects node1 fd77::2 # slurmd listens on v4 only: refused by node2 is an answer, silence is not
  expect_match "refusal" refused "$(cluster exec node1 timeout 2 bash -c 'exec 3<>/dev/tcp/fd77::2/9' 2>&1)"
  cluster down >/dev/null
}

test_cgroups_catch_what_leaves_its_session() {
  [ -w /sys/fs/cgroup/freezer ] || { echo "    skipped: no cgroup v1 freezer here"; return; }
  local mark=87654$$
  extra_setting=MUSTER_CLUSTER_PROCTRACK=cgroup cluster up 1 >/dev/null
  cluster run srun -N1 bash -c "setsid sleep $mark </dev/null >/dev/null 2>&1 &"
  wait_for runs_nothing_with $mark
  cluster down >/dev/null
  expect_equal "traces left" '' "$(print_traces)"
}

test_plain_mode_works_without_root() {
  local mode=plain run=() out
  [ "$(id -u)" -ne 0 ] || run=(as_nobody)
  plain() { "${run[@]}" env MUSTER_CLUSTER_DIR="$scratch/plain/state" MUSTER_CLUSTER_PORT=27400 \
    timeout "$deadline_s" "$scratch/plain/local/cluster" "$@"; }
  mkdir -m 777 "$scratch/plain"
  cp -r "$(dirname "$program")" "$scratch/plain/" # the checkout may be closed to that user
  expect_match up 'up, 3 nodes' "$(plain up 3 2>"$scratch/plain/stderr")"
  expect_match "the reason" 'mode plain, .* no namespaces here' "$(cat "$scratch/plain/stderr")"
  out=$(plain run srun -N3 bash -c 'echo $SLURMD_NODENAME' | sort | tr '\n' ' ')
  expect_equal "srun -N3" "node1 node2 node3 " "$out"
  expect_code 3 plain cut node1
  plain run srun -N2 sleep 1000 >/dev/null 2>&1 &
  wait_for runs_a_job plain
  expect_code 0 plain down
  wait
  expect_equal "traces left" '' "$(print_traces "$scratch/plain/state")"
}

run_test() { # TEST
  local sentence=${1#test_} start=$EPOCHREALTIME
  test_failed=0
  "$1"
  sentence="${sentence//_/ } ($(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }') s)"
  if [ "$test_failed" = 0 ]; then echo "ok      $sentence"; else
    echo "FAILED  $sentence"
    failures=$((failures + 1))
  fi
}

remove_scratch() {
  cluster down >/dev/null 2>&1
  rm -rf "$scratch"
}

# Tests on one shared cluster of four nodes; the last of them ends it.
readonly shared_tests='test_four_nodes_have_four_names_and_addresses test_up_again_changes_nothing
test_each_node_has_eight_gpus_and_its_own_munge test_cut_loses_packets_and_heal_restores
test_slow_slows_both_directions test_crashed_node_is_gone_until_booted
test_frozen_node_answers_by_kernel_only test_ordinary_user_may_submit
test_exit_code_of_the_command_passes test_node_refuses_to_manage_its_cluster
test_unknown_words_are_refused test_down_leaves_nothing'
readonly own_tests='test_up_after_a_power_failure_of_the_machine test_interrupted_up_leaves_no_process
test_up_after_control_c_is_whole_or_nothing test_own_name_may_resolve_to_loopback
test_nodes_may_have_ipv6 test_cgroups_catch_what_leaves_its_session'

main() {
  local name reason shared=$shared_tests own="$own_tests test_plain_mode_works_without_root"
  trap remove_scratch EXIT
  cd "$scratch" || exit # not in the checkout, which may be closed to other users
  if [ $# -gt 0 ]; then
    shared='' own=''
    for name; do
      case " ${shared_tests//$'\n'/ } " in *" $name "*) shared="$shared $name" ;; *) own="$own $name" ;; esac
    done
  fi
  if [ -n "$shared" ]; then
    reason=$(mode=namespaces cluster up 2>&1)
    case $? in
      0)
        for name in $shared; do run_test "$name"; done
        cluster down >/dev/null
        ;;
      3)
        echo "skipped all that need namespaces: $reason"
        own=test_plain_mode_works_without_root
        ;;
      *)
        echo "FAILED  up: $reason"
        exit 1
        ;;
    esac
  fi
  for name in $own; do run_test "$name"; done
  [ "$failures" = 0 ] || { echo "$failures tests failed"; exit 1; }
}

main "$@"
