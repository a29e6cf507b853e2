#!/usr/bin/env python3
"""Nothing about the check hangs: whatever process of it stands still (SIGSTOP), the job ends or goes
on by itself within the deadline and fixed allowances, says whom or what it waited for, and leaves
nothing behind but what stands still.

`freeze_test.py Processes` or `freeze_test.py Agents` runs one half: they mostly wait, so the two may
run beside each other.
"""
import os
import re
import signal
import time

import harness
from harness import BIN, ClusterTest, wait_until

LOST, MISSING, UNFIT, NOT_MEASURED, KILLED = 85, 81, 83, 84, 128 + signal.SIGKILL
DEADLINE_S = 5  # --check-deadline
# What may be added to it, each once, by its constant in the code:
LOOK_S = 16  # kLookLimit: a look at a node, by its own agent
HOST_S = 5  # the part of it that reads the host's files
SILENT_LOOK_S = 20  # kLookDeadline: the coordinator's wait for an agent that does not answer
REPORT_S = 5  # kCheckDeadlineMargin: for the gang to say where it was
STOP_S = 4  # kCheckStopPatience: from the end of the gang's time to a verdict without it
CLOSING_S = 2  # kClosingPatience: for an agent to acknowledge the end, that was found mute before
LATE_S = 10  # kClosingLimit: for one that was not
GANG_S = DEADLINE_S + REPORT_S + STOP_S + CLOSING_S
NOT_ENDED = "muster: check: node3: its agent did not end the check's processes"
START_S = 20  # kStartPatience: for every agent to say that its workers run
SWEEP_S = 6  # the search for what escaped, of the check gang and again of the workers
DRAIN_S = 5  # the last lines to a file
SILENCE_S = 26  # 6 s until a coordinator counts as silent, 20 s of patience then
ASSEMBLE_S = 8  # --assemble-deadline, and 5 s more for those who ask a coordinator that is gone
ALL_LINKS = "100mbit"  # so slow that the processors are not the limit
SMALL, LONG = "64K", "16M"  # at 1 Mbit/s the second takes minutes
JOB, CHECK = ("--", "true"), ("check",)


class Freeze(ClusterTest):
    """What all share."""

    nodes = 3
    settings = {"GPUS": 0}
    links = ALL_LINKS

    def setUp(self):
        super().setUp()
        self.frozen = []
        self.addCleanup(self._kill_frozen)  # runs before the base's look at what is left

    # One word more or less of command line.

    def start_muster(self, what, *options, size=SMALL, freeze=None, srun=()):
        """`freeze`: (name, node), stopped by itself as soon as it bears the name."""
        preload = () if freeze is None else (
            "env", f"LD_PRELOAD={os.path.join(BIN, 'fault_point.so')}",
            f"MUSTER_FREEZE={freeze[0]}", f"MUSTER_FREEZE_NODE={freeze[1]}")
        command, program = (what, ()) if what is CHECK else ((), what)
        return self.start("srun", *srun, "-N3", "--ntasks-per-node=1", *preload, "muster", *command,
                          "--check=fabric", f"--check-sizes={size}",
                          f"--check-deadline={DEADLINE_S}", f"--assemble-deadline={ASSEMBLE_S}",
                          *options, *program)

    def slow_links(self):
        self.cluster.order("slow", "all", "1mbit")
        self.addCleanup(self.cluster.order, "slow", "all", ALL_LINKS)

    # Who is there.

    def named(self, name, node):
        return [p for p in self.processes() if p.variables.get("SLURMD_NODENAME") == node
                and p.status("Name") == name[:15]]

    def await_named(self, name, node):
        return wait_until(lambda: self.named(name, node), f"{name} on {node}")[0]

    def await_frozen(self, name, node):
        def stopped():
            return [p for p in self.named(name, node) if p.status("State").startswith("T")]

        self.frozen.append(wait_until(stopped, f"{name} on {node} stopped")[0])

    def freeze(self, process):
        process.signal(signal.SIGSTOP)
        self.frozen.append(process)
        return time.monotonic()

    def await_traffic(self, process, least=50_000):
        """Until so many bytes were sent on the node of the process: the measurement is under way."""

        def sent():
            text = harness.read_text(f"/proc/{process.pid}/net/dev")
            return [n for n in re.findall(r"eth0:" + r"\s*(\d+)" * 9, text) if int(n[8]) > least]

        before = re.findall(r"eth0:" + r"\s*(\d+)" * 9,
                            harness.read_text(f"/proc/{process.pid}/net/dev"))
        least += int(before[0][8])
        wait_until(sent, "the gang's traffic")

    def _kill_frozen(self):
        for process in self.frozen:
            try:
                process.signal(signal.SIGKILL)
            except ProcessLookupError:
                pass

    # What every case promises.

    def expect_end(self, run, codes, line, since, bound):
        """All end by themselves; only what stands still is left, and killed by us."""
        run.finish(bound + harness.BOUND_S + harness.LOAD_ALLOWANCE_S)
        self.assertIn(run.code, codes, run)
        self.assertRegex(run.err, line, run)
        self.expect_within(time.monotonic() - since, bound, run)
        self._kill_frozen()
        self.expect_nothing_left()
        self.expect_no_crash()

    def expect_end_without(self, node, run, codes, line, since, bound):
        """The agent of `node` stands still, and srun waits for it; all others end by themselves."""
        others = {f"node{n}" for n in (1, 2, 3)} - {node}
        wait_until(lambda: not any(p.variables.get("SLURMD_NODENAME") in others
                                   for p in self.processes()),
                   f"the end of all on {others}: {run}",
                   bound + harness.BOUND_S + harness.LOAD_ALLOWANCE_S)
        self.expect_within(time.monotonic() - since, bound, run)
        self._kill_frozen()
        run.finish()
        self.assertIn(run.code, (KILLED, *codes), run)
        if 0 not in codes:  # of which srun says nothing
            ends = "|".join(map(str, codes))
            self.assertRegex(run.err, rf"Exited with exit code ({ends})\b", run)
        self.assertRegex(run.err, line, run)
        self.expect_nothing_left()

    def freeze_at_birth(self, name, node, codes, line, bound, what=JOB, options=()):
        run = self.start_muster(what, *options, freeze=(name, node))
        since = time.monotonic()
        self.await_frozen(name, node)
        self.expect_end(run, codes, line, since, bound)


class Processes(Freeze):
    """Those that an agent starts."""

    # Before and after the measurement.

    def test_a_look(self):
        line = r"(?m)^muster: health: node3: WARN look: the look did not answer in 16 s$"
        self.freeze_at_birth("muster-look", "node3", (0,), line, LOOK_S)

    def test_a_look_at_the_coordinator_s_node_of_muster_check(self):
        line = r"(?m)^muster: health: node1: WARN look: the look did not answer in 16 s$"
        self.freeze_at_birth("muster-look", "node1", (0,), line, LOOK_S, CHECK)

    def test_the_reader_of_the_host_s_files(self):
        line = r"(?m)^muster: health: node3: WARN host: the look at the host did not answer in 5 s$"
        self.freeze_at_birth("muster-host", "node3", (0,), line, HOST_S)

    def test_a_guardian_keeps_nobody_waiting(self):
        for node in ("node1", "node3"):
            with self.subTest(node=node):
                self.freeze_at_birth("muster-guardian", node, (0,), "check: verdict: go: ", 0)

    def test_the_search_for_what_escaped(self):
        for node in ("node1", "node3"):
            with self.subTest(node=node):
                line = rf"(?m)^muster: {node}: the sweep for descendants did not end in time$"
                self.freeze_at_birth("muster-sweeper", node, (0,), line, 2 * SWEEP_S)

    def test_the_writer_of_the_workers_lines(self):
        line = r"(?m)^muster: node3: the file writer did not end in time; lines may be missing"
        self.freeze_at_birth("muster-writer", "node3", (0,), line, 2 * DRAIN_S,
                             options=(f"--log-dir={self.path('logs')}", "--output=files"))

    def test_the_helper_that_proves_who_an_agent_is(self):
        for node in ("node1", "node3"):
            with self.subTest(node=node):
                # The coordinator's own helper proves the others: then they are missing.
                missing = "node3" if node == "node3" else r"node\[2-3\]"
                stuck = (r"(?s)muster: the helper process muster-rendezvous \(pid \d+\) on "
                         rf"{node} did not answer within 5 s: [a-z ]+ hangs there .*")
                self.freeze_at_birth("muster-rendezvous", node, (MISSING,),
                                     rf"{stuck}members did not come within {ASSEMBLE_S} s: {missing}",
                                     ASSEMBLE_S + 5)

    def test_a_prewarm_command(self):
        # The name of the shell, which the program and the way to it do not use.
        self.freeze_at_birth("sh", "node3", (0,), "check: verdict: go: ", 1,
                             options=("--prewarm=sleep 1000; true",))

    # The gang that measures.

    def test_a_process_of_the_gang_as_it_starts(self):
        for node, what in (("node1", JOB), ("node2", CHECK)):
            with self.subTest(node=node):
                self.freeze_at_birth("muster-bench", node, (UNFIT, NOT_MEASURED),
                                     rf"muster: check: .*\({node}\)", GANG_S, what)

    def test_a_process_of_the_gang_as_it_measures(self):
        self.slow_links()
        for node, what in (("node2", JOB), ("node1", CHECK)):
            with self.subTest(node=node):
                run = self.start_muster(what, size=LONG)
                bench = self.await_named("muster-bench", node)
                self.await_traffic(bench)
                since = self.freeze(bench)
                self.expect_end(run, (UNFIT, NOT_MEASURED), rf"muster: check: .*\({node}\)", since,
                                GANG_S)


class Agents(Freeze):
    """The agents themselves."""

    def test_an_agent_as_it_starts(self):
        # Of node1 the next one takes the role meanwhile.
        for node in ("node1", "node3"):
            line = f"muster: 1 of 3 members did not come .*: {node}"
            with self.subTest(node=node):
                run = self.start_muster(JOB, freeze=("muster", node))
                since = time.monotonic()
                self.await_frozen("muster", node)
                self.expect_end_without(node, run, (MISSING,), line, since, ASSEMBLE_S + 5)

    def test_an_agent_whose_gang_has_ended(self):
        # node2's search for what escaped holds up the end of the check.
        run = self.start_muster(CHECK, freeze=("muster-sweeper", "node2"))
        self.await_frozen("muster-sweeper", "node2")
        wait_until(lambda: not self.named("muster-bench", "node3"), "the end of node3's gang")
        wait_until(lambda: not self.named("muster-sweeper", "node3"), "the end of node3's search")
        since = self.freeze(self.agents()["node3"][0])
        self.expect_end_without("node3", run, (0, NOT_MEASURED, UNFIT), "check: verdict: go: ",
                                since, GANG_S + SWEEP_S + LATE_S)

    def test_a_node_that_is_cut_off_as_the_job_ends_hears_of_the_end(self):
        wait = f'[ "$RANK" = 0 ] && until [ -e {self.path("go")} ]; do sleep 0.1; done; true'
        run = self.start("srun", "-N3", "--ntasks-per-node=1", "muster", "--check=off",
                         "--nproc-per-node=1", "sh", "-c", f'{wait}; echo >>{self.path("ends")}')
        self.await_lines("ends", 2)
        wait_until(lambda: not self.named("muster-sweeper", "node3"), "the end of node3's search")
        time.sleep(1)  # for its word to be on its way
        with self.cut_off("node3"):
            open(self.path("go"), "w", encoding="utf-8").close()
            wait_until(lambda: "node3: its agent did not acknowledge the end within 2 s" in run.err,
                       "a line that names the node")
        self.assertEqual(run.finish().code, 0, run)
        self.assertNotIn("within 12 s", run.err, run)
        self.expect_nothing_left()

    def test_an_agent_between_the_check_and_the_workers(self):
        # The same, for a job whose workers would run on.
        run = self.start_muster(("--", "sleep", "1000"), freeze=("muster-sweeper", "node2"))
        self.await_frozen("muster-sweeper", "node2")
        wait_until(lambda: not self.named("muster-bench", "node3"), "the end of node3's gang")
        wait_until(lambda: not self.named("muster-sweeper", "node3"), "the end of node3's search")
        since = self.freeze(self.agents()["node3"][0])
        line = (r"(?m)^muster: node3: its agent did not start its workers within 20 s$"
                r"(.*\n)+muster: node3: its agent did not acknowledge the end within 2 s$")
        self.expect_end_without("node3", run, (LOST,), line, since,
                                SWEEP_S + START_S + SWEEP_S + CLOSING_S)

    def test_an_agent_while_the_nodes_are_looked_at(self):
        # Another node's look stands still too, so that there is time.
        run = self.start_muster(JOB, freeze=("muster-look", "node2"))
        self.await_frozen("muster-look", "node2")
        since = self.freeze(self.agents()["node3"][0])
        self.expect_end_without("node3", run, (NOT_MEASURED, UNFIT), NOT_ENDED, since,
                                SILENT_LOOK_S + GANG_S)

    def test_an_agent_while_its_gang_starts(self):
        run = self.start_muster(JOB, freeze=("muster-bench", "node3"))
        self.await_frozen("muster-bench", "node3")
        since = self.freeze(self.agents()["node3"][0])
        self.expect_end_without("node3", run, (UNFIT, NOT_MEASURED), NOT_ENDED, since,
                                GANG_S)

    def test_an_agent_while_its_gang_measures(self):
        self.slow_links()
        run = self.start_muster(CHECK, size=LONG)
        self.await_traffic(self.await_named("muster-bench", "node3"))
        since = self.freeze(self.agents()["node3"][0])
        self.expect_end_without("node3", run, (NOT_MEASURED, UNFIT), NOT_ENDED, since,
                                GANG_S)

    def test_a_step_that_ends_on_a_bad_exit_does_not_wait_for_the_agent(self):
        self.slow_links()
        run = self.start_muster(JOB, size=LONG, srun=("--kill-on-bad-exit=1",))
        self.await_traffic(self.await_named("muster-bench", "node3"))
        since = self.freeze(self.agents()["node3"][0])
        # Slurm's KillWait of 5 s, and 2 s of srun's own.
        self.expect_end(run, (NOT_MEASURED, UNFIT, KILLED, 128 + signal.SIGTERM),
                        NOT_ENDED, since, GANG_S + 7)

    # The coordinator's agent: the others leave it.

    def lost_coordinator(self, run, since):
        line = r"muster: node[23] lost the coordinator: 10\.77\.0\.1 is silent for more than 20 s"
        self.expect_end_without("node1", run, (LOST,), line, since, SILENCE_S)

    def test_the_coordinator_while_the_nodes_are_looked_at(self):
        run = self.start_muster(JOB, freeze=("muster-look", "node2"))
        self.await_frozen("muster-look", "node2")
        self.lost_coordinator(run, self.freeze(self.agents()["node1"][0]))

    def test_the_coordinator_while_the_gang_measures(self):
        self.slow_links()
        run = self.start_muster(CHECK, size=LONG)
        self.await_traffic(self.await_named("muster-bench", "node2"))
        self.lost_coordinator(run, self.freeze(self.agents()["node1"][0]))

    def test_a_coordinator_that_stood_still_for_a_while_goes_on(self):
        run = self.start_muster(JOB, freeze=("muster-look", "node2"))
        self.await_frozen("muster-look", "node2")
        agent = self.agents()["node1"][0]
        since = self.freeze(agent)
        wait_until(lambda: run.err.count("the coordinator is silent") == 2, "silence noted")
        agent.signal(signal.SIGCONT)
        self.frozen.remove(agent)
        self.expect_end(run, (0,), "the coordinator is back", since, LOOK_S + GANG_S)

    def test_an_agent_that_stood_still_itself_counts_the_silence_anew(self):
        # As when a job is suspended: the silence that it slept through is nobody's fault.
        run = self.start_muster(JOB, freeze=("muster-look", "node2"))
        self.await_frozen("muster-look", "node2")
        agents = [self.agents()[node][0] for node in ("node1", "node2", "node3")]
        self.freeze(agents[0])
        wait_until(lambda: run.err.count("the coordinator is silent") == 2, "silence noted")
        since = [self.freeze(agent) for agent in agents[1:]][0]
        wait_until(lambda: time.monotonic() - since > SILENCE_S, "a long sleep", SILENCE_S + 1)
        for agent in (agents[1], agents[2], agents[0]):
            agent.signal(signal.SIGCONT)
            self.frozen.remove(agent)
        self.expect_end(run, (0,), "check: verdict: go: ", time.monotonic(), GANG_S)


if __name__ == "__main__":
    harness.main()
