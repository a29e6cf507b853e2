#!/usr/bin/env python3
"""examples/04_find_the_slow_node/run as a user starts it: it does what it prints, its page and its
baseline are there, and nothing of its cluster is left, also where it is interrupted."""
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import unittest
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "system"))

import harness  # noqa: E402

RUN = os.path.join(ROOT, "examples", "04_find_the_slow_node", "run")
LIMIT_S = 540  # of the whole example: four checks with a search, on a loaded machine
END_LIMIT_S = 60
WRONG_USAGE = 2


class FindTheSlowNode(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.mark = f"case-{uuid.uuid4().hex}"

    def start(self, *options):
        environment = dict(harness.clean_environment(), **{harness.MARK: self.mark})
        process = subprocess.Popen(
            [RUN, *options], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        """A run that a failed test left under way ends as one that a user interrupts."""
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=END_LIMIT_S)

    def expect_nothing_left(self, process, output):
        self.assertFalse(os.path.exists(f"/tmp/muster-slow-node.{process.pid}"), output)

        def nothing_runs():
            return not harness.find_processes(self.mark)

        harness.wait_until(nothing_runs, "the end of all processes")

    def read(self, name):
        return harness.read_text(os.path.join(self.folder, name))

    def test_the_slow_node_is_named_and_then_left_out(self):
        process = self.start(self.folder)
        output, _ = process.communicate(timeout=LIMIT_S)
        print(output)
        if process.returncode == harness.CANNOT_HERE:
            self.skipTest(output.strip().splitlines()[-1])
        self.assertEqual(process.returncode, 0, output)
        self.expect_nothing_left(process, output)
        self.assertIn("nothing was started", self.read("refused.log"))
        trained = self.read("trained.log")
        self.assertRegex(trained, r"world: node\[1-2,4-5\]; out: node3", trained)
        self.assertNotRegex(trained, r"(?m)^\[node3 ", "node3 had a worker")
        report = json.loads(self.read("report.json"))
        self.assertEqual([one["host"] for one in report["unfit"]], ["node3"], output)
        self.assertLess(report["unfit"][0]["ratio"], 0.6, output)
        page = self.read("report.html")
        self.assertIn("node3", page)
        self.assertTrue(page.rstrip().endswith("</html>"), "the page is whole")

    def test_an_interrupted_run_leaves_nothing(self):
        process = self.start("--hello", self.folder)
        seen = ""
        while "$ srun" not in seen:  # the first job is under way, or about to be
            ready = select.select([process.stdout], [], [], END_LIMIT_S)[0]
            self.assertTrue(ready, f"nothing came after:\n{seen}")
            some = os.read(process.stdout.fileno(), 4096).decode()
            if not some:
                if process.wait() == harness.CANNOT_HERE:
                    self.skipTest(seen.strip().splitlines()[-1])
                self.fail(seen)
            seen += some
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=END_LIMIT_S)
        self.assertEqual(process.returncode, 128 + signal.SIGTERM, seen + rest)
        self.expect_nothing_left(process, seen + rest)

    def test_a_word_that_is_no_option_is_one_line(self):
        process = self.start("--spares")
        output, _ = process.communicate(timeout=END_LIMIT_S)
        self.assertEqual(process.returncode, WRONG_USAGE, output)
        self.assertTrue(re.fullmatch(r"run: no option '--spares'.*\n", output), output)


if __name__ == "__main__":
    harness.main()
