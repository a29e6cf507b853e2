#!/usr/bin/env python3
"""The health of the nodes in the life of a job, and `muster check`: four fit nodes; a node with a
tiny limit of open files, which a profile of the test's own demands more of, is named with code 83."""
import json
import os
import signal
import time

import harness
from harness import ClusterTest, wait_until

UNFIT = 83
PROFILE = "profile: mine\nhost: {nofile: 512}\n"
# On node3 alone Slurm's limit is made a tiny one, soft and hard, before muster starts.
TINY_ON_NODE3 = 'if [ "$SLURMD_NODENAME" = node3 ]; then ulimit -n 256; fi; exec muster "$@"'
SIZES = "--check-sizes=64K"


class Preflight(ClusterTest):
    settings = {"GPUS": 0}
    links = "100mbit"  # a search among links as fast as the machine is busy would be long

    def setUp(self):
        super().setUp()
        with open(self.path("mine.yaml"), "w", encoding="utf-8") as file:
            file.write(PROFILE)
        self.profile = f"--profile={self.path('mine.yaml')}"

    def muster(self, *words, tiny=False):
        program = ["sh", "-c", TINY_ON_NODE3, "muster"] if tiny else ["muster"]
        return self.run_to_end("srun", "-N4", "--ntasks-per-node=1", *program, *words,
                               limit=harness.CHECK_LIMIT_S)

    def program(self):
        return ["--", "sh", "-c", f"echo started >>{self.path('started')}"]

    def expect_clocks_agree(self, nodes, run):
        """They are one clock here, seen from four places: never a finding, and rarely in doubt."""
        probes = [probe for node in nodes for probe in node["probes"]
                  if probe["probe"] == "clock_offset"]
        self.assertEqual(len(probes), 4, run)
        for probe in probes:
            self.assertIn(probe["answer"], ("PASS", "SKIP"), probe)
            if probe["answer"] == "PASS":
                self.assertRegex(probe["value"], r"^[+-]\d+\.\d ms$", probe)
            else:
                self.assertRegex(probe["reason"], "could not tell", probe)

    def lines_of(self, run, text):
        return [line for line in run.muster_lines() if text in line]

    def test_fit_nodes_are_one_line_and_the_program_runs(self):
        run = self.muster("--check=fabric", SIZES, *self.program())
        self.expect_code(run, 0)
        self.assertRegex("\n".join(self.lines_of(run, "health:")),
                         r"^muster: health: 4 nodes, \d+ probes passed, .*\d+ skipped$", run)
        self.assertEqual(self.lines("started"), ["started"] * 4, run)

    def test_without_a_check_nobody_looks(self):
        run = self.muster("--check=off", *self.program())
        self.expect_code(run, 0)
        self.assertEqual(run.err, "", run)

    def test_an_unfit_node_is_named_and_nothing_starts(self):
        run = self.muster("--check=fabric", SIZES, self.profile, *self.program(), tiny=True)
        self.expect_code(run, UNFIT)
        self.assertEqual(len(self.lines_of(run, "FAIL")), 1, run)
        self.assertRegex(self.lines_of(run, "FAIL")[0],
                         r"^muster: health: node3: FAIL nofile 256: at most 256 files .* 512", run)
        self.assertEqual(self.lines("started"), [], run)
        self.expect_nothing_left()

    def test_the_same_node_without_the_profile_is_told_and_used(self):
        run = self.muster("--check=fabric", SIZES, *self.program(), tiny=True)
        self.expect_code(run, 0)
        self.assertRegex("\n".join(self.lines_of(run, "nofile")), r"node3: nofile 256, 3 others \d+",
                         run)
        self.assertEqual(self.lines("started"), ["started"] * 4, run)

    def test_muster_check_prints_a_table_a_node_and_writes_json(self):
        run = self.muster("check", "--check=fabric", SIZES, self.profile,
                          f"--json={self.path('check.json')}")
        self.expect_code(run, 0)
        self.assertTrue(self.lines_of(run, "check: fit"), run)
        for node in range(1, 5):
            self.assertRegex(run.err, rf"(?m)^node{node}: \w+  .*PASS", run)
        with open(self.path("check.json"), encoding="utf-8") as file:
            found = json.load(file)
        self.assertEqual((found["verdict"], found["exit_code"], found["profile"]),
                         ("fit", 0, "mine"))
        self.assertEqual([node["host"] for node in found["nodes"]],
                         ["node1", "node2", "node3", "node4"])
        self.assertEqual(found["measurement"]["backend"], "fabric")
        self.assertGreater(found["measurement"]["rows"][0]["out_of_place"]["busbw"], 0)
        self.expect_clocks_agree(found["nodes"], run)

    def test_muster_check_names_the_unfit_node(self):
        run = self.muster("check", "--check=fabric", self.profile,
                          f"--json={self.path('check.json')}", tiny=True)
        self.expect_code(run, UNFIT)
        self.assertRegex(run.err, r"health: node3: FAIL nofile 256", run)
        with open(self.path("check.json"), encoding="utf-8") as file:
            found = json.load(file)
        self.assertEqual(found["verdict"], "unfit")
        self.assertEqual([node["host"] for node in found["nodes"] if node["answer"] == "FAIL"],
                         ["node3"])

    def test_a_profile_that_is_not_there_ends_all_in_one_line(self):
        run = self.muster("check", "--profile=p99")
        self.expect_code(run, 80)
        self.assertEqual(len(self.lines_of(run, "no profile 'p99'")), 1, run)

    def test_a_look_that_is_stopped_ends_by_its_deadline(self):
        """SIGSTOP to the child that looks: the node is named, and the job goes on."""
        run = self.start("srun", "-N4", "--ntasks-per-node=1", "sh", "-c",
                         'ulimit -c 0; exec muster "$@"', "muster", "--check=fabric", SIZES,
                         *self.program())

        def is_stopped(pid):
            """False of one that had just ended: it has answered."""
            try:
                pid.signal(signal.SIGSTOP)
            except ProcessLookupError:
                return False
            wait_until(lambda: (pid.status("State") or "X")[0] in "TXZ", "the stop of a look")
            return pid.status("State").startswith("T")

        def stop_one_look():
            for name in ("muster-look", "muster-host"):
                for pid in harness.find_processes(self.mark):
                    if pid.status("Name") == name and is_stopped(pid):
                        return pid
            return None

        stopped = None
        deadline = time.monotonic() + harness.EVENT_LIMIT_S
        while stopped is None and run.process.poll() is None and time.monotonic() < deadline:
            stopped = stop_one_look()
        if stopped is None:
            self.skipTest("the looks were over before one could be stopped")
        run.finish(60)
        self.expect_code(run, 0)
        self.assertRegex(" ".join(self.lines_of(run, "WARN")),
                         r"health: node[1-4]: WARN (look|host): .* did not answer in \d+ s", run)
        self.assertEqual(self.lines("started"), ["started"] * 4, run)
        self.expect_nothing_left()

    def test_the_prolog_judges_its_own_node_in_time(self):
        script = os.path.join(harness.ROOT, "slurm", "prolog")
        fit = self.run_to_end(script, host="node1")
        self.expect_code(fit, 0)
        self.assertLess(fit.seconds, 5 + harness.LOAD_ALLOWANCE_S, fit)
        unfit = self.run_to_end("sh", "-c", f"ulimit -n 256; exec {script}", host="node1",
                                MUSTER_PROLOG_PROFILE=self.path("mine.yaml"))
        self.expect_code(unfit, UNFIT)
        self.assertIn("FAIL nofile 256", unfit.err, unfit)

    def test_the_preflight_script_tells_by_its_code(self):
        script = os.path.join(harness.ROOT, "slurm", "preflight.sbatch")
        words = ["sbatch", "--wait", "--nodes=4", f"--output={self.path('preflight.log')}", script,
                 "--check=fabric", SIZES]
        run = self.run_to_end(*words, limit=harness.CHECK_LIMIT_S)
        self.expect_code(run, 0)
        log = wait_until(lambda: harness.read_text(self.path("preflight.log")), "the log")
        self.assertIn("muster: check: fit", log)


if __name__ == "__main__":
    harness.main()
