"""The coordinator dies or is cut off at named points of the assembly: a world without its node, or a
clear end, soon. `full` goes through all points, else through some.

A coordinator that nobody reached before it died is not told apart from one that has not started: then
it is the user's limits that end the assembly, or have it go on.
"""
import os
import re
import sys
import time

import harness
from harness import BIN, ClusterTest, wait_until
from worlds import PRINT_WORLD, read_workers

CLEAR_END_S = 10
ALLOWANCE_S = 5  # for a loaded machine; the measured time is printed
FOUR = ("-N4", "--ntasks-per-node=1", "--no-kill")
# What fault_point.c counts, on node 0: the greeting, welcome, prepare, list and commit of each agent
# go by one sendmsg each, or several by one.
EARLY = ("bind:1:kill-before", "listen:1:kill-before", "listen:1:kill-after")
KILLS = (("accept4:1:kill-after",) + tuple(f"recv:{n}:kill-after" for n in range(4, 12))
         + tuple(f"sendmsg:{n}:kill-{when}" for n in range(6, 19) for when in ("before", "after")))
# Somebody has reached it, or others have been taken in already, whatever the order they came in.
SOME_KILLS = ("accept4:1:kill-after", "sendmsg:6:kill-after", "sendmsg:14:kill-before",
              "sendmsg:15:kill-after", "sendmsg:17:kill-after")
CUTS = tuple(f"sendmsg:{n}:hold" for n in (12, 13, 14, 15, 16, 17, 18))
FULL = "full" in sys.argv


class CoordinatorIsLost(ClusterTest):
    def start_with(self, fault, options, *of_srun):
        self.fault_file = self.path(f"fault.{len(self.runs)}")
        return self.start("srun", *FOUR, *of_srun, "env",
                          f"LD_PRELOAD={os.path.join(BIN, 'fault_point.so')}",
                          f"MUSTER_FAULT={fault}", "MUSTER_FAULT_NODE=0",
                          f"MUSTER_FAULT_FILE={self.fault_file}", "muster", "--check=off",
                          "--nproc-per-node=1", "--store=rank0", "--stop-grace=1", *options,
                          PRINT_WORLD)

    def struck(self, run):
        """When the fault came; nothing where the job ended without it."""
        wait_until(lambda: os.path.exists(self.fault_file) or run.process.poll() is not None,
                   "the fault")
        return os.stat(self.fault_file).st_mtime if os.path.exists(self.fault_file) else None

    def judge(self, run, since, nodes, world_allowed):
        """A world of the other nodes, a world that was complete before, or an end with a reason."""
        seconds = time.time() - since
        workers = read_workers(run.out)
        sizes = {worker["size"] for worker in workers}
        outcome = "end"
        if sizes == {nodes - 1}:
            outcome = "world without it"
            self.assertTrue(world_allowed, run)
            self.assertEqual([worker["rank"] for worker in workers], list(range(nodes - 1)), run)
            self.assertNotIn("node1", {worker["host"] for worker in workers}, run)
        elif sizes:
            outcome = "was complete"
            self.assertEqual(sizes, {nodes}, run)
        else:
            self.assertRegex(run.err, r"lost|cannot be told|did not come", run)
        return outcome, seconds

    def kill_at(self, fault, options, world_allowed):
        run = self.start_with(fault, options)
        since = self.struck(run)
        run.finish(60)
        if since is None:
            print(f"  {fault}: not reached")
            return None
        outcome, seconds = self.judge(run, since, 4, world_allowed)
        print(f"  {fault} {options}: {outcome} after {seconds:.1f} s", flush=True)
        self.assertLessEqual(seconds, CLEAR_END_S + ALLOWANCE_S, run)
        return outcome

    def test_killed_where_a_smaller_world_is_allowed(self):
        outcomes = [self.kill_at(fault, ["--nnodes=3:4"], True)
                    for fault in (KILLS if FULL else SOME_KILLS)]
        self.assertIn("world without it", outcomes)

    def test_killed_where_all_nodes_are_needed(self):
        outcomes = [self.kill_at(fault, ["--assemble-deadline=25"], False)
                    for fault in (KILLS[::2] if FULL else SOME_KILLS[:1])]
        self.assertIn("end", outcomes)

    def test_killed_before_anybody_reached_it_the_users_limit_counts(self):
        for fault in EARLY if FULL else EARLY[1:2]:
            outcome = self.kill_at(fault, ["--nnodes=3:4", "--assemble-deadline=10"], True)
            self.assertEqual(outcome, "world without it")

    def test_killed_before_anybody_reached_it_slurm_ends_the_step_if_asked(self):
        for fault in EARLY if FULL else EARLY[1:2]:
            run = self.start_with(fault, [], "--kill-on-bad-exit")
            since = self.struck(run)
            run.finish(60)
            seconds = time.time() - since
            print(f"  {fault} with --kill-on-bad-exit: end after {seconds:.1f} s", flush=True)
            self.assertLessEqual(seconds, CLEAR_END_S + ALLOWANCE_S, run)
            self.assertEqual(read_workers(run.out), [], run)
            self.assertNotEqual(run.code, 0, run)
            self.assertRegex(run.err, "task 0: Killed", run)

    def test_cut_off(self):
        for fault in CUTS if FULL else CUTS[3:4]:
            for options, allowed in ((["--nnodes=3:4"], True), (["--assemble-deadline=25"], False)):
                with self.subTest(fault=fault, options=options):
                    self.await_all_nodes()
                    run = self.start_with(fault, options)
                    if self.struck(run) is None:
                        print(f"  {fault}: not reached")
                        continue
                    since = time.time()
                    with self.cut_off("node1"):
                        open(self.fault_file + ".go", "w", encoding="utf-8").close()
                        wait_until(lambda: not self.agents_outside("node1"), "the others' end", 40)
                        outcome, seconds = self.judge(run, since, 4, allowed)
                        print(f"  cut at {fault} {options}: {outcome} after {seconds:.1f} s", flush=True)
                        self.assertLessEqual(seconds, CLEAR_END_S + ALLOWANCE_S, run)
                    run.finish(60)

    def agents_outside(self, node):
        return [process for process in self.processes("muster")
                if process.variables.get("SLURMD_NODENAME") != node]


if __name__ == "__main__":
    if FULL:
        sys.argv.remove("full")
    harness.main()
