"""muster-bench alone under srun, several ranks a task (-g): one world of tasks times N, nobody left
behind when a rank dies or the step is cancelled."""
import re
import signal
import time

import harness
from harness import ClusterTest, wait_until

END_LIMIT_S = 10  # srun ends the other tasks, then Slurm's KillWait


class BenchSlots(ClusterTest):
    nodes = 2
    settings = {"GPUS": 0}

    def bench(self, *options, srun=("-N2", "--ntasks-per-node=1")):
        return self.start("srun", *srun, "muster-bench", "all_reduce", "--backend", "fabric",
                          *options)

    def expect_world(self, run, ranks):
        self.expect_code(run.finish(60), 0)
        self.assertIn(f"# world: {ranks} ranks on 2 nodes\n", run.out, run)
        self.assertIn("# Out of bounds values : 0 OK", run.out, run)
        hosts = re.findall(r"rank +\d+ pid +\d+ on (\w+):", run.out)
        self.assertEqual(hosts, ["node1"] * (ranks // 2) + ["node2"] * (ranks // 2), run)
        self.expect_nothing_left()

    def endless(self):
        run = self.bench("-g", "3", "-b", "256K", "-n", "1000000", "--deadline", "60",
                         srun=("-N2", "--ntasks-per-node=1", "--kill-on-bad-exit=1"))
        wait_until(lambda: "(us)     (%)" in run.out, "the table's head")
        return run

    def ranks_of(self, node):
        return [process for process in self.processes("muster-bench")
                if process.variables.get("SLURMD_NODENAME") == node
                and "MUSTER_BENCH_SLOT" in process.variables]

    def test_a_task_a_node_with_three_ranks_each(self):
        self.expect_world(self.bench("-g", "3", "-b", "1K", "-e", "64K", "-f", "8", "-n", "2"), 6)

    def test_two_tasks_a_node_with_two_ranks_each(self):
        self.expect_world(self.bench("-g", "2", "-b", "4K", "-n", "2",
                                     srun=("-N2", "--ntasks-per-node=2")), 8)

    def test_a_killed_rank_is_named_and_ends_the_step(self):
        run = self.endless()
        since = time.monotonic()
        victim = next(process for process in self.ranks_of("node2")
                      if process.variables["MUSTER_BENCH_SLOT"].startswith("1/3/"))
        victim.signal(signal.SIGKILL)
        run.finish(END_LIMIT_S + harness.LOAD_ALLOWANCE_S)
        print(f"    ended {time.monotonic() - since:.1f} s after the kill", flush=True)
        self.assertNotEqual(run.code, 0, run)
        self.assertRegex(run.err, r"rank 4 \(node2\) died of signal 9 \(SIGKILL\); ending the others",
                         run)
        self.expect_nothing_left()

    def test_a_cancelled_step_leaves_nothing(self):
        run = self.endless()
        self.cluster.ask("scancel", self.step_of())
        run.finish(END_LIMIT_S + harness.LOAD_ALLOWANCE_S)
        self.assertNotEqual(run.code, 0, run)
        self.expect_nothing_left()


if __name__ == "__main__":
    harness.main()
