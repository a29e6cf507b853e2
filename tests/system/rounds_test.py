"""The check names the culprit: on nodes with capped links some are throttled, cut off or stopped,
and the verdict names exactly those. With a spare the program runs on the rest.

`rounds_test.py full` adds eight nodes.
"""
import json
import os
import re
import signal
import sys
import threading

import harness
from harness import ClusterTest

UNFIT, LOST = 83, 85
ALL_LINKS = "100mbit"  # so slow that the processors are not the limit
BY_30_PERCENT, BY_60_PERCENT = "70mbit", "40mbit"
SIZE = "512K"
LINK_GBPS = 0.0125  # GB/s, of ALL_LINKS
LEAST_SHARE = 0.9  # of a link that a ring reaches; less measures how busy this machine is
TOLERANCE = 0.15  # of the baseline: two runs on a shared machine differ
LIMIT_S = 240  # of a job: a check with a search, on a loaded machine
BASELINE_TRIES = 3
FULL = "full" in sys.argv


class Rounds(ClusterTest):
    """What all share: capped links, and a baseline that muster recorded of them itself."""

    settings = {"GPUS": 0}
    links = ALL_LINKS
    world = 4
    sizes = (4, 5)  # of the worlds, for which a baseline is recorded before anything is throttled

    def setUp(self):
        super().setUp()
        for nodes in self.sizes:
            self.baseline(nodes)

    def slow(self, node, rate):
        self.cluster.order("slow", node, rate)
        self.addCleanup(self.cluster.order, "slow", node, ALL_LINKS)

    def baseline(self, nodes):
        path = os.path.join(self.cluster.directory, f"baseline-{nodes}.yaml")
        if not os.path.exists(path):
            # This machine is shared. Nothing is recorded where something stands out, and where the
            # links were not the limit the record is of no use.
            for _ in range(BASELINE_TRIES):
                run = self.run_to_end("srun", f"-N{nodes}", "muster", "check", "--check=fabric",
                                      f"--check-sizes={SIZE}", f"--record-baseline={path}",
                                      limit=LIMIT_S)
                self.expect_code(run, 0)
                reached = re.search(r"all_reduce on \d+ nodes: ([0-9.]+) GB/s", run.err)
                if os.path.exists(path) and float(reached[1]) >= LEAST_SHARE * LINK_GBPS:
                    break
            self.assertTrue(os.path.exists(path), run)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            self.assertIn("tolerance: 0.1\n", text)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace("tolerance: 0.1\n", f"tolerance: {TOLERANCE}\n"))
        return path

    def job(self, *options, nodes=None):
        """A job whose workers write their node and world size to `started`."""
        nodes = nodes or self.world
        return ["srun", f"-N{nodes}", "muster", "--nproc-per-node=1", "--check=fabric",
                f"--check-sizes={SIZE}", "--check-deadline=60",
                f"--profile={self.baseline(nodes)}", *options, "sh", "-c",
                f'echo "$SLURMD_NODENAME $WORLD_SIZE" >>{self.path("started")}']

    def started(self):
        return sorted(line.split()[0] for line in self.lines("started"))

    def expect_named(self, run, nodes):
        """The commands for an operator name exactly these, and the verdict does."""
        self.expect_code(run, UNFIT)
        self.assertEqual(self.started(), [], run)
        named = re.findall(r'muster: check:   scontrol update nodename="?([^" ]+)"? state=drain',
                           run.err)
        self.assertEqual(sorted(self.hosts(",".join(named))), sorted(nodes), run)
        excluded = re.search(r'sbatch --exclude="?([^" ]+)', run.err)[1]
        self.assertEqual(self.hosts(excluded), sorted(nodes), run)
        self.assertIn("nothing was started", run.err, run)

    def hosts(self, expression):
        return self.cluster.ask("scontrol", "show", "hostnames", expression).split()


class FourNodes(Rounds):
    nodes = 5

    def test_a_healthy_machine_starts_after_one_round(self):
        run = self.run_to_end(*self.job(), limit=LIMIT_S)
        self.expect_code(run, 0)
        self.assertEqual(self.started(), ["node1", "node2", "node3", "node4"], run)
        self.assertIn("verdict: go", run.err, run)
        self.assertNotIn("check: round", run.err, run)

    def test_one_node_slower_by_30_percent_is_named(self):
        self.slow("node3", BY_30_PERCENT)
        self.expect_named(self.run_to_end(*self.job(), limit=LIMIT_S), ["node3"])

    def test_one_node_slower_by_60_percent_is_named_and_in_the_report(self):
        self.slow("node1", BY_60_PERCENT)
        run = self.run_to_end(
            "srun", "-N4", "muster", "check", "--check=fabric", f"--check-sizes={SIZE}",
            f"--profile={self.baseline(4)}", f"--json={self.path('check.json')}", limit=LIMIT_S)
        self.expect_named(run, ["node1"])
        with open(self.path("check.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual([one["host"] for one in report["unfit"]], ["node1"], run)
        self.assertLess(report["unfit"][0]["ratio"], 0.6, run)
        self.assertGreater(report["unfit"][0]["ratio"], 0.25, run)
        pairs = {frozenset((pair["a"], pair["b"])) for pair in report["pairs"]}
        self.assertEqual(len(pairs), 6, "all pairs of four nodes")

    def test_two_slow_nodes_are_both_named(self):
        self.slow("node2", BY_60_PERCENT)
        self.slow("node4", BY_60_PERCENT)
        run = self.run_to_end(*self.job(nodes=5), limit=LIMIT_S)
        self.expect_named(run, ["node2", "node4"])

    def test_all_slow_alike_blames_no_node(self):
        self.cluster.order("slow", "all", BY_60_PERCENT)
        self.addCleanup(self.cluster.order, "slow", "all", ALL_LINKS)
        run = self.run_to_end(*self.job(), limit=LIMIT_S)
        self.expect_code(run, UNFIT)
        self.assertIn("all nodes are alike", run.err, run)
        self.assertNotIn("scontrol update", run.err, run)
        self.assertEqual(self.started(), [], run)

    def test_with_a_spare_the_program_runs_on_the_rest(self):
        self.slow("node2", BY_60_PERCENT)
        run = self.run_to_end(*self.job("--spares=1", nodes=5), limit=LIMIT_S)
        self.expect_code(run, 0)
        self.assertEqual(sorted(self.lines("started")), [f"{node} 4" for node in self.started()],
                         run)
        self.assertEqual(self.started(), ["node1", "node3", "node4", "node5"], run)
        self.assertRegex(run.err, r"world: node\[1,3-5\]; out: node2", run)
        self.assertIn("scontrol update nodename=node2", run.err, run)

    def test_a_fit_spare_stays_idle(self):
        run = self.run_to_end(*self.job("--nodes=4", nodes=5), limit=LIMIT_S)
        self.expect_code(run, 0)
        self.assertEqual(self.started(), ["node1", "node2", "node3", "node4"], run)
        self.assertIn("spare: node5", run.err, run)

    def cut_in_mid_check(self, run, node):
        harness.wait_until(lambda: self.bench_on(node), f"muster-bench on {node}")
        self.cluster.order("cut", node)
        self.addCleanup(self.cluster.order, "heal", node)

    def bench_on(self, node):
        return [process for process in self.processes("muster-bench")
                if process.variables.get("SLURMD_NODENAME") == node]

    def test_a_node_cut_off_in_mid_check_is_named(self):
        run = self.start(*self.job("--assemble-deadline=20"))
        self.cut_in_mid_check(run, "node3")
        run.finish(LIMIT_S)
        self.expect_code(run, LOST)
        self.assertRegex(run.verdict(), "node3.* was lost", run)
        self.assertEqual(self.started(), [], run)

    def test_a_node_cut_off_in_mid_check_is_left_out_where_a_spare_is(self):
        run = self.start(*self.job("--spares=1", nodes=5))
        self.cut_in_mid_check(run, "node3")
        harness.wait_until(lambda: len(self.lines("started")) == 4, "four workers", LIMIT_S)
        self.cluster.order("heal", "node3")
        run.finish(LIMIT_S)
        self.assertEqual(self.started(), ["node1", "node2", "node4", "node5"], run)
        self.assertIn("node3 is lost", run.err, run)

    def stop_every_bench(self, node):
        """As a driver that hangs would: whatever is started there stops at once."""
        over = threading.Event()

        def watch():
            while not over.wait(0.02):
                for process in self.bench_on(node):
                    try:
                        process.signal(signal.SIGSTOP)
                    except ProcessLookupError:
                        pass

        thread = threading.Thread(target=watch)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(over.set)

    def test_a_node_whose_bench_process_is_stopped_is_named(self):
        self.stop_every_bench("node4")
        run = self.run_to_end(*self.job(), limit=LIMIT_S)
        self.expect_named(run, ["node4"])
        self.assertIn("hung", run.err, run)


class EightNodes(Rounds):
    nodes = 8
    world = 8
    sizes = (8,)

    @classmethod
    def setUpClass(cls):
        if not FULL:
            raise harness.unittest.SkipTest("eight nodes take minutes; `full` has them")
        super().setUpClass()

    def test_one_node_slower_by_30_percent_is_named(self):
        self.slow("node6", BY_30_PERCENT)
        self.expect_named(self.run_to_end(*self.job(), limit=LIMIT_S), ["node6"])

    def test_one_node_slower_by_60_percent_is_named(self):
        self.slow("node8", BY_60_PERCENT)
        self.expect_named(self.run_to_end(*self.job(), limit=LIMIT_S), ["node8"])

    def test_two_slow_nodes_stay_out_where_two_spares_are(self):
        self.slow("node3", BY_60_PERCENT)
        self.slow("node7", BY_30_PERCENT)
        run = self.run_to_end(*self.job("--nodes=6"), limit=LIMIT_S)
        self.expect_code(run, 0)
        self.assertEqual(self.started(), [f"node{i}" for i in (1, 2, 4, 5, 6, 8)], run)


if __name__ == "__main__":
    if FULL:
        sys.argv.remove("full")
    harness.main()
