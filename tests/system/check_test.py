"""The check gates: a fabric below the user's minimum stops the job before the program starts. And
muster-bench alone under srun prints nccl-tests' columns."""
import json
import re

import harness
from harness import ClusterTest

UNFIT = 83
ALL_LINKS, ONE_LINK = "200mbit", "50mbit"  # so slow that the processors are not the limit
LIMIT_S = 240  # of a job: the search for a slow node on slow links
MINIMUM_GBPS = "0.012"  # a ring over 200 Mbit/s reaches at most 0.025 GB/s, over 50 Mbit/s 0.00625


class Check(ClusterTest):
    settings = {"GPUS": 0}

    def muster(self, *options):
        return self.run_to_end(
            "srun", "-N4", "--ntasks-per-node=1", "muster", "--nproc-per-node=2", *options, "sh",
            "-c", f"echo started >>{self.path('started')}", limit=LIMIT_S)

    def slow(self, node, rate):
        self.cluster.order("slow", node, rate)
        self.addCleanup(self.cluster.order, "slow", "all", "off")

    def check_fabric(self):
        return self.muster("--check=fabric", f"--check-min-busbw={MINIMUM_GBPS}",
                           "--check-sizes=256K,1M")

    def test_one_slow_node_stops_the_job_with_numbers(self):
        self.slow("all", ALL_LINKS)
        self.slow("node3", ONE_LINK)
        run = self.check_fabric()
        self.expect_code(run, UNFIT)
        verdict = [line for line in run.muster_lines() if re.search(r"\bGB/s", line)]
        self.assertTrue(verdict, run)
        self.assertIn(MINIMUM_GBPS, " ".join(verdict), run)
        self.assertEqual(self.lines("started"), [], run)

    def test_without_the_slow_node_the_program_starts(self):
        self.slow("all", ALL_LINKS)
        run = self.check_fabric()
        self.expect_code(run, 0)
        self.assertEqual(self.lines("started"), ["started"] * 8, run)

    def test_auto_says_what_it_chose(self):
        run = self.muster()
        self.expect_code(run, 0)
        self.assertRegex(run.err, r"muster: check: fabric", run)
        self.assertEqual(self.lines("started"), ["started"] * 8, run)

    def test_a_check_that_is_not_over_by_its_deadline_starts_nothing(self):
        self.slow("all", "1mbit")
        run = self.muster("--check=fabric", "--check-deadline=2", "--check-min-busbw=1",
                          "--check-sizes=16M")
        self.assertIn(run.code, (UNFIT, 84), run)
        self.expect_within(run.seconds, 2, run)
        self.assertEqual(self.lines("started"), [], run)
        self.expect_nothing_left()
        self.expect_no_crash()

    def test_an_interface_of_loopback_is_refused_before_anything_is_measured(self):
        run = self.muster("--interface=lo")
        self.expect_code(run, 80)
        self.assertEqual(len(run.muster_lines()), 1, run)
        self.assertRegex(run.muster_lines()[0],
                         r"^muster: node\[1-4\]: --interface=lo: it has loopback addresses only", run)
        self.assertEqual(self.lines("started"), [], run)

    def test_the_bench_alone_refuses_it_at_once(self):
        run = self.run_to_end("srun", "-N2", "muster-bench", "all_reduce", "-b", "1K",
                              "--backend=fabric", "--interface=lo", "--deadline=60")
        self.assertNotEqual(run.code, 0, run)
        self.assertLess(run.seconds, 30, run)
        self.assertRegex(run.err, r"--interface lo: it has loopback addresses only", run)

    def test_the_bench_gives_its_json_to_stdout_by_that_name_too(self):
        run = self.run_to_end("srun", "-N2", "muster-bench", "all_reduce", "-b", "1K",
                              "--json=/dev/stdout")
        self.expect_code(run, 0)
        self.assertEqual(json.loads(run.out)["operation"], "all_reduce", run)

    def test_the_bench_alone_prints_the_columns_of_nccl_tests(self):
        run = self.run_to_end("srun", "-N4", "muster-bench", "all_reduce", "-b", "1K", "-e", "1M",
                              "-f", "4")
        self.expect_code(run, 0)
        self.assertRegex(run.out, r"#\s+size\s+count\s+type\s+redop\s+root\s+time\s+algbw\s+busbw",
                         run)
        rows = [line.split() for line in run.out.splitlines() if re.match(r"\s*\d+\s", line)]
        self.assertEqual([int(row[0]) for row in rows], [1024 * 4**i for i in range(6)], run)
        self.assertTrue(all(float(row[7]) > 0 for row in rows), run)


if __name__ == "__main__":
    harness.main()
