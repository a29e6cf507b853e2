#!/usr/bin/env python3
"""--prewarm on a real cluster: every node runs it once, it fails nobody, and it leaves nothing."""
import os
import signal

import harness
from harness import ClusterTest, wait_until

SIZES = "--check-sizes=64K"


class Prewarm(ClusterTest):
    settings = {"GPUS": 0}

    def start_muster(self, *words, tasks=1):
        return self.start("srun", "-N4", f"--ntasks-per-node={tasks}", "muster", "--stop-grace=3",
                          *words)

    def hosts(self, name):
        return sorted(self.lines(name))

    def told(self, run):
        return [line for line in run.muster_lines() if "prewarm" in line]

    def test_every_node_runs_it_once_while_the_check_runs_and_one_line_says_so(self):
        for tasks in (1, 2):
            with self.subTest(tasks=tasks):
                ran = f"ran{tasks}"
                run = self.start_muster(
                    "--check=fabric", SIZES, f"--prewarm=echo $SLURMD_NODENAME >>{self.path(ran)};"
                    " echo out; echo err >&2", "--nproc-per-node=2", "--", "sh", "-c",
                    f"echo $SLURMD_NODENAME >>{self.path('started')}", tasks=tasks).finish(60)
                self.expect_code(run, 0)
                self.assertEqual(self.hosts(ran), ["node1", "node2", "node3", "node4"])
                self.assertEqual(len(self.told(run)), 1, run)
                self.assertRegex(self.told(run)[0], r"^muster: --prewarm ended after \d+\.\d s on "
                                 r"node1, before the workers start$", run)
                self.assertNotRegex(run.out + run.err, r"(?m)^(out|err)$|\] (out|err)$", run)
                self.expect_nothing_left()

    def test_one_that_fails_is_told_and_the_job_succeeds(self):
        run = self.start_muster(
            "--check=fabric", SIZES, "--prewarm=[ $SLURMD_NODENAME != node3 ] ||"
            " { echo 'ModuleNotFoundError: No module named torch' >&2; exit 1; }", "--",
            "true").finish(60)
        self.expect_code(run, 0)
        failed = [line for line in self.told(run) if "exited" in line]
        self.assertEqual(len(failed), 1, run)
        self.assertRegex(failed[0], r"^muster: node3: --prewarm exited with 1 after \d+\.\d s: "
                         r"ModuleNotFoundError: No module named torch$", run)

    def test_one_that_goes_on_runs_beside_the_workers_and_ends_with_them(self):
        run = self.start_muster(
            "--check=fabric", SIZES, f"--prewarm=echo $SLURMD_NODENAME >>{self.path('ran')};"
            " sleep 1000 & setsid sleep 1001 & wait", "--nproc-per-node=2", "--", "sh", "-c",
            f"{harness.ZOO} tell-pid {self.path('workers')}"
            f" await-fifo $0.$RANK exit 0", self.path("go"))
        for rank in range(8):
            os.mkfifo(self.path(f"go.{rank}"))
        self.await_lines("workers", 8)
        wait_until(lambda: len(self.sleepers()) == 8, "the sleepers of 4 nodes")
        for rank in range(8):
            self.wake(f"go.{rank}")
        run.finish()
        self.expect_code(run, 0)
        self.assertEqual(self.told(run), [], run)
        self.expect_nothing_left()

    def test_a_killed_agent_leaves_none_of_it(self):
        run = self.start_muster("--check=off", "--prewarm=sleep 1000 & setsid sleep 1001 &"
                                " trap '' TERM; wait; sleep 1002", "--", "sleep", "500")
        wait_until(lambda: len(self.sleepers()) == 8, "the sleepers of 4 nodes")
        os.kill(self.agents()["node3"][0].pid, signal.SIGKILL)
        run.finish()
        self.assertNotEqual(run.code, 0, run)
        self.assertEqual([line for line in self.told(run) if "exited" in line], [], run)
        self.expect_nothing_left()

    def test_a_cancel_ends_it_without_a_word(self):
        # Slurm's signal may end the sleep and not the shell.
        run = self.start_muster("--check=off", "--prewarm=sleep 1000; exit 3", "--", "sleep", "500")
        wait_until(lambda: len(self.sleepers()) == 4, "the sleepers of 4 nodes")
        self.cluster.ask("scancel", self.step_of().split(".")[0])
        run.finish()
        self.assertEqual(self.told(run), [], run)
        self.assertRegex(run.err, "cancelled by", run)
        self.expect_nothing_left()

    def sleepers(self):
        return [p for p in self.processes("sleep") if p.words[1:] in (["1000"], ["1001"])]


if __name__ == "__main__":
    harness.main()
