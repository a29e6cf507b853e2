"""Whatever dies first is named, everything else ends with it, soon, and nothing is left behind."""
import os
import re
import signal
import time

import harness
from harness import ClusterTest, ZOO, wait_until

GRACE_S = 3
LOST, MISSING_NODES, KILLED = 85, 81, 128 + signal.SIGKILL
EIGHT_AND_EIGHT = ("-N4", "--ntasks-per-node=8")
ONE_A_NODE = ("-N4", "--ntasks-per-node=1")


class WorkerFails(ClusterTest):
    """Workers of both task shapes; one of them misbehaves, the others would wait for ever."""

    def muster(self, *program, srun=EIGHT_AND_EIGHT, options=()):
        return self.start("srun", *srun, "muster", "--check=off", "--nproc-per-node=8",
                          f"--stop-grace={GRACE_S}", *options, *program)

    def one_fails(self, rank, *tricks, srun=EIGHT_AND_EIGHT, others=("wait",), before=()):
        """All 32 do `before`; when all have, rank `rank` does `tricks`, and the others `others`."""
        go = self.path("go")
        os.mkfifo(go)
        first = f'exec "{ZOO}" {" ".join(before)} tell-pid {self.path("pids")}'
        script = (f'if [ "$RANK" = {rank} ]; then {first} await-fifo {go} {" ".join(tricks)};'
                  f' else {first} {" ".join(others)}; fi')
        run = self.muster("sh", "-c", script, srun=srun)
        self.await_lines("pids", 32)
        if "daemons" in " ".join(before):
            self.await_lines("daemons", 32 * (len(before) // 2))
        since = time.monotonic()
        self.wake("go")
        return run, since

    def test_exit_3_is_named_and_returned(self):
        for srun in (EIGHT_AND_EIGHT, ONE_A_NODE):
            with self.subTest(srun=srun):
                run, since = self.one_fails(13, "print-error", "'the disk is full'", "exit", "3",
                                            srun=srun)
                run.finish()
                self.expect_failure(
                    run, 3, r"rank 13 \(node2, local rank 5\) failed first: exit code 3.*"
                    r"31 other workers ended with it", since=since)
                self.assertRegex(run.err, r"last lines of stderr of rank 13 on node2:\n"
                                 r"  \| the disk is full\n", run)
                os.unlink(self.path("go"))
                os.unlink(self.path("pids"))

    def test_a_crash_is_128_and_the_signal(self):
        run, since = self.one_fails(30, "die", "SEGV")
        run.finish()
        self.expect_failure(run, 128 + signal.SIGSEGV, r"rank 30 \(node4, local rank 6\) "
                            r"failed first: .*SIGSEGV", since=since)

    def test_a_worker_that_exits_0_early_stops_nobody(self):
        run = self.muster("sh", "-c", f'[ "$RANK" = 3 ] || exec {ZOO} tell-pid {self.path("pids")}'
                          f' sleep 500')
        self.await_lines("pids", 31)
        self.expect_code(run.finish(), 0)

    def test_workers_that_ignore_sigterm_are_killed_after_the_grace(self):
        run, since = self.one_fails(0, "exit", "9", others=("ignore", "TERM", "wait"))
        run.finish()
        self.expect_failure(run, 9, r"rank 0 \(node1, .*exit code 9", GRACE_S, since)
        self.assertGreater(time.monotonic() - since, GRACE_S - 0.5, run)

    def test_grandchildren_and_daemons_do_not_survive(self):
        tricks = ["daemon", self.path("daemons"), "grandchild", self.path("daemons")]
        run, since = self.one_fails(5, "exit", "4", before=tricks)
        run.finish()
        self.expect_failure(run, 4, r"rank 5 .*exit code 4", GRACE_S, since)

    def test_a_daemon_without_environment_does_not_survive(self):
        tricks = ["clean-daemon", self.path("daemons")]
        run, since = self.one_fails(5, "exit", "4", before=tricks)
        run.finish()
        self.expect_failure(run, 4, r"rank 5 .*exit code 4", GRACE_S, since)

    def test_daemons_of_a_job_that_succeeds_do_not_survive(self):
        daemons = f"{self.folder}/daemon.$RANK"
        run = self.muster("sh", "-c", f"{ZOO} daemon {daemons}; until [ -s {daemons} ];"
                          " do sleep 0.02; done", srun=("-N2", "--ntasks-per-node=8"))
        run.finish()
        self.expect_code(run, 0)
        self.expect_nothing_left()

    def test_a_python_traceback_is_named(self):
        script = self.path("train.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write("import os, time\n"
                       "if os.environ['RANK'] == '2': raise ValueError('no such layer')\n"
                       "time.sleep(60)\n")
        run = self.start("srun", "-N2", "--ntasks-per-node=2", "muster", "--check=off",
                         f"--stop-grace={GRACE_S}", script).finish()
        self.expect_failure(run, 1, r"rank 2 \(node2, local rank 0\) failed first: "
                            r".*ValueError: no such layer")
        self.assertIn("  | Traceback (most recent call last):", run.err, run)

    def test_an_error_file_is_read(self):
        # What PyTorch's @record writes.
        script = ('[ "$RANK" = 1 ] || exec sleep 60; printf \'{"message": {"message":'
                  ' "RuntimeError: loss is NaN", "extraInfo": {"py_callstack":'
                  ' "Traceback (most recent call last):\\\\n  somewhere\\\\n'
                  'RuntimeError: loss is NaN",'
                  ' "timestamp": "1"}}}\' >"$TORCHELASTIC_ERROR_FILE"; exit 1')
        run = self.start("srun", "-N2", "--ntasks-per-node=2", "muster", "--check=off",
                         f"--stop-grace={GRACE_S}", "sh", "-c", script).finish()
        self.expect_failure(run, 1, r"rank 1 \(node1, local rank 1\).*RuntimeError: loss is NaN")

    def test_victims_that_die_of_the_stop_are_not_blamed(self):
        # All others answer SIGTERM with a code of their own, at once.
        others = ("close-stdout", "wait")
        run, since = self.one_fails(31, "exit", "5", others=others, srun=ONE_A_NODE)
        run.finish()
        self.expect_failure(run, 5, r"rank 31 \(node4, local rank 7\)", since=since)


class AgentFails(ClusterTest):
    def start_waiting(self, srun=ONE_A_NODE, tricks=("wait",)):
        run = self.start("srun", *srun, "muster", "--check=off", "--nproc-per-node=8",
                         f"--stop-grace={GRACE_S}", ZOO, "tell-pid", self.path("pids"), *tricks)
        self.await_lines("pids", 32)
        return run

    def kill_agent(self, run, node, number=signal.SIGKILL):
        agent = self.agents()[node][0]
        since = time.monotonic()
        agent.signal(number)
        run.finish()
        return since

    def test_an_agent_is_killed(self):
        for srun in (ONE_A_NODE, EIGHT_AND_EIGHT):
            with self.subTest(srun=srun):
                run = self.start_waiting(srun)
                since = self.kill_agent(run, "node3")
                # The killed agent's own code; the others return 85, and srun the highest.
                self.expect_failure(run, KILLED, r"the agent on node3 was lost", since=since)
                self.assertRegex(run.err, rf"Exited with exit code {LOST}", run)
                os.unlink(self.path("pids"))

    def test_an_agent_is_killed_whose_workers_ignore_sigterm(self):
        run = self.start_waiting(tricks=("ignore", "TERM", "daemon", self.path("daemons"), "wait"))
        since = self.kill_agent(run, "node2")
        self.expect_failure(run, KILLED, r"the agent on node2 was lost", GRACE_S, since)

    def test_the_coordinator_s_agent_is_killed(self):
        for srun in (ONE_A_NODE, EIGHT_AND_EIGHT):
            with self.subTest(srun=srun):
                run = self.start_waiting(srun)
                since = self.kill_agent(run, "node1")
                self.expect_code(run, KILLED)
                self.expect_within(time.monotonic() - since, 0, run)
                self.expect_nothing_left()
                self.assertRegex(run.err, r"muster: node[2-4] lost the coordinator", run)
                self.assertRegex(run.err, rf"Exited with exit code {LOST}", run)
                os.unlink(self.path("pids"))

    def test_a_stopped_agent_is_named_and_a_cancel_ends_the_job(self):
        run = self.start_waiting()
        agent = self.agents()["node2"][0]
        agent.signal(signal.SIGSTOP)
        wait_until(lambda: "node2: its agent is silent" in run.err, "a word about node2")
        since = time.monotonic()
        # The step must not wait for the stopped one for ever: SIGCONT comes with Slurm's SIGTERM.
        self.cluster.ask("scancel", self.step_of().split(".")[0])
        run.finish()
        self.expect_within(time.monotonic() - since, GRACE_S, run)
        self.expect_nothing_left()

    def test_a_stopped_agent_goes_on_where_it_stopped(self):
        run = self.start_waiting()
        agent = self.agents()["node2"][0]
        agent.signal(signal.SIGSTOP)
        os.kill(self.worker_of_rank(9).pid, signal.SIGKILL)
        wait_until(lambda: "its agent is silent" in run.err, "a word about node2")
        since = time.monotonic()
        agent.signal(signal.SIGCONT)
        run.finish()
        self.expect_failure(run, KILLED, r"rank 9 \(node2, local rank 1\)", GRACE_S, since)

    def worker_of_rank(self, rank):
        return next(p for p in self.processes("child_zoo") if p.variables.get("RANK") == str(rank))


class NodeFails(ClusterTest):
    def test_a_node_that_is_cut_before_assembly_is_named(self):
        # Node 3's task waits until the node is cut, then starts muster into the silence.
        held = self.path("held")
        script = (f"if [ $SLURM_NODEID = 2 ]; then echo here >>{self.path('here')};"
                  f" until [ -e {held} ]; do sleep 0.05; done; fi;"
                  f" exec muster --check=off --assemble-deadline=4 true")
        run = self.start("srun", "-N4", "sh", "-c", script)
        self.await_lines("here", 1)
        with self.cut_off("node3"):
            since = time.monotonic()
            open(held, "w", encoding="utf-8").close()
            wait_until(lambda: "node3" in run.err, "node3 named")
            self.expect_within(time.monotonic() - since, 4, run)
            wait_until(lambda: self.agents().keys() <= {"node3"}, "the others' end")
            wait_until(lambda: run.err.count(f"Exited with exit code {MISSING_NODES}") > 0,
                       "code 81")
        run.finish()
        self.expect_code(run, MISSING_NODES)
        self.assertEqual(len(re.findall(r"did not come within 4 s: node3", run.err)), 1, run)

    def test_a_node_that_is_cut_while_workers_run_is_named(self):
        run = self.start("srun", "--no-kill", *ONE_A_NODE, "muster", "--check=off",
                         "--nproc-per-node=2", f"--stop-grace={GRACE_S}", ZOO, "tell-pid",
                         self.path("pids"), "wait")
        self.await_lines("pids", 8)
        since = time.monotonic()
        with self.cut_off("node4"):
            wait_until(lambda: not self.workers_outside("node4"), "the end of the others' workers")
            # Ten seconds of silence make a node lost.
            self.expect_within(time.monotonic() - since, 10 + GRACE_S, run)
            self.assertRegex(run.err, r"node4", run)
            # The cut node's workers live on a lease that ends too.
            wait_until(lambda: not self.workers_outside(""), "the end of node4's workers")
        run.finish()
        self.expect_code(run, LOST)

    def workers_outside(self, node):
        return [p for p in self.processes("child_zoo")
                if p.variables.get("SLURMD_NODENAME") != node]


if __name__ == "__main__":
    harness.main()
