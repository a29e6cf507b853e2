"""The check before a restart: a failure that points to the machine has it measured anew, and the
attempt that follows leaves out what has become unfit meanwhile."""
import os
import re

import harness
from harness import ClusterTest, ZOO

UNFIT = 83
ALL_LINKS, SLOW_LINK = "100mbit", "40mbit"  # so slow that the processors are not the limit
MINIMUM = 0.008  # GB/s; all links reach 0.012, and 0.005 with the slow one among them
NETWORK_WORDS = "RuntimeError: NCCL error in: x.cpp:1, unhandled system error"


class Recheck(ClusterTest):
    settings = {"GPUS": 0}
    links = ALL_LINKS
    nodes = 5

    def job(self, *options, nodes, words=NETWORK_WORDS):
        """Its rank 1 fails in attempt 0 when the fifo `fail` is opened; attempt 1 ends well."""
        os.mkfifo(self.path("fail"))
        script = (f'{ZOO} tell-pid {self.path("pids")};'
                  ' if [ "$TORCHELASTIC_RESTART_COUNT" = 0 ]; then'
                  f' [ "$RANK" = 1 ] || exec {ZOO} wait; read word <{self.path("fail")};'
                  ' printf "Traceback (most recent call last):\\n  File \\"t.py\\", line 1, in f\\n'
                  f'{words}\\n" >&2; exit 1; fi; echo "attempt 1 on $SLURMD_NODENAME"')
        return self.start("srun", f"-N{nodes}", "muster", "--nproc-per-node=1", "--check=fabric",
                          "--check-sizes=256K", f"--check-min-busbw={MINIMUM}", "--max-restarts=1",
                          "--stop-grace=3", *options, "sh", "-c", script)

    def fail_with(self, run, workers, slow=None):
        self.await_lines("pids", workers, limit=harness.CHECK_LIMIT_S)
        if slow:
            self.cluster.order("slow", slow, SLOW_LINK)
            self.addCleanup(self.cluster.order, "slow", slow, ALL_LINKS)
        self.wake("fail")
        return run.finish(limit=harness.CHECK_LIMIT_S)

    def verdicts(self, run):
        return re.findall(r"check: verdict: (\w+)", run.err)

    def ended_on(self, run):
        return sorted(re.findall(r"attempt 1 on (\w+)", run.out))

    def test_a_node_that_became_slow_is_left_out(self):
        run = self.fail_with(self.job("--spares=1", nodes=5), workers=4, slow="node3")
        self.expect_code(run, 0)
        self.assertIn("muster: check: again before restart 1 of 1, since the failure points to the"
                      " network\n", run.err, run)
        self.assertEqual(self.verdicts(run)[0], "go", run)
        self.assertRegex(run.err, r"muster: world: node\[1-2,4-5\]; out: node3\n", run)
        self.assertEqual(self.ended_on(run), ["node1", "node2", "node4", "node5"], run)
        self.expect_nothing_left()

    def test_without_a_spare_the_unfit_machine_ends_the_job(self):
        run = self.fail_with(self.job(nodes=4), workers=4, slow="node3")
        self.expect_code(run, UNFIT)
        self.assertIn("muster: the check found the machine unfit; not restarted\n", run.err, run)
        self.assertRegex(run.err, r"scontrol update nodename=node3 ", run)
        self.assertEqual(self.ended_on(run), [], run)
        self.expect_nothing_left()

    def test_a_fit_machine_is_measured_again_and_restarted(self):
        run = self.fail_with(self.job(nodes=2), workers=2)
        self.expect_code(run, 0)
        self.assertEqual(self.verdicts(run), ["go", "go"], run)
        self.assertEqual(self.ended_on(run), ["node1", "node2"], run)
        self.expect_nothing_left()

    def test_an_exception_of_the_program_repeats_nothing(self):
        run = self.fail_with(self.job(nodes=2, words="ValueError: boom"), workers=2)
        self.expect_code(run, 0)
        self.assertEqual(self.verdicts(run), ["go"], run)
        self.assertEqual(self.ended_on(run), ["node1", "node2"], run)
        self.expect_nothing_left()


if __name__ == "__main__":
    harness.main()
