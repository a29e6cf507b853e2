"""muster-bench alone under srun. Several ranks a task (-g): one world of tasks times N, nobody left
behind when a rank dies or the step is cancelled. Several NICs a node: the slow one has a row."""
import json
import os
import re
import signal
import subprocess
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


class BenchNics(ClusterTest):
    """Two nodes with a second cable between them, slower than the first."""
    nodes = 2
    settings = {"GPUS": 0}
    # So slow that the processors are not the limit: 0.025 and 0.00625 GB/s.
    links, SLOW = "200mbit", "50mbit"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        inits = [cls.init_pid(node) for node in ("node1", "node2")]
        cls.shell("ip", "link", "add", "eth1", "netns", inits[0], "type", "veth", "peer", "name",
                  "eth1", "netns", inits[1])
        for number, pid in enumerate(inits, 1):
            inside = ["nsenter", f"--net=/proc/{pid}/ns/net"]
            cls.shell(*inside, "ip", "address", "add", f"10.78.0.{number}/24", "dev", "eth1")
            cls.shell(*inside, "ip", "link", "set", "eth1", "up")
            cls.shell(*inside, "tc", "qdisc", "add", "dev", "eth1", "root", "tbf", "rate", cls.SLOW,
                      "burst", "16kb", "latency", "50ms")

    @classmethod
    def init_pid(cls, node):
        path = os.path.join(cls.cluster.variables["MUSTER_CLUSTER_DIR"], "run", f"{node}.init")
        return harness.read_text(path).split()[0]

    @staticmethod
    def shell(*words):
        done = subprocess.run(words, capture_output=True, text=True, timeout=harness.RUN_LIMIT_S)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(words)}: {done.stderr}")

    def busbw_by_nic(self, *options):
        # One way at a time: tcp;ofi_rxm halves messages that go both ways on one connection.
        run = self.run_to_end("srun", "-N2", "-n2", "muster-bench", "pingpong", "-b", "1M", "-n",
                              "3", "--json", "-", *options, limit=60)
        self.expect_code(run, 0)
        [group] = json.loads(run.out)["groups"]
        for row in group["rows"]:
            self.assertEqual(row["out_of_place"]["wrong"], 0, run)
        return {row["nic"]: row["out_of_place"]["busbw"] for row in group["rows"]}

    def test_each_nic_alone_shows_the_slow_one(self):
        for transport in ("tagged", "rma"):
            busbw = self.busbw_by_nic("--nic", "each", "--split", "pair", "--transport", transport)
            self.assertEqual(sorted(busbw), ["eth0", "eth1"])
            self.assertLess(busbw["eth1"], 0.00625 * 1.2)
            self.assertGreater(busbw["eth0"], 2 * busbw["eth1"])

    def test_all_nics_together_carry_more_than_the_slow_one(self):
        for transport in ("tagged", "rma"):
            busbw = self.busbw_by_nic("--nic", "all", "--transport", transport)
            self.assertEqual(list(busbw), ["all 2"])
            self.assertGreater(busbw["all 2"], 0.00625 * 1.2)

    def test_a_nic_by_name(self):
        self.assertEqual(list(self.busbw_by_nic("--nic", "eth1")), ["eth1"])


if __name__ == "__main__":
    harness.main()
