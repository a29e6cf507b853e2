"""A real PyTorch training job in both task shapes: the same world, the same loss. With the argument
`full` 32 ranks, as in the README; without it 2 nodes with 2 ranks each."""
import re
import subprocess
import sys

import harness
from harness import ClusterTest

PYTHON = "/usr/bin/python3"
TRAIN = f"{harness.ROOT}/examples/02_pytorch_ddp/train.py"
FULL = "full" in sys.argv[1:]
NODES, WORKERS, STEPS = (4, 8, 10) if FULL else (2, 2, 6)
NEEDED_MIB = NODES * WORKERS * 240 + 1000  # a worker takes some 240 MiB
LIMIT_S = 280 if FULL else 90


def reason_to_skip():
    if subprocess.run([PYTHON, "-c", "import torch"], capture_output=True).returncode != 0:
        return f"{PYTHON} has no torch; install with: tests/install-packages pytorch"
    memory = re.search(r"MemAvailable:\s+(\d+) kB", harness.read_text("/proc/meminfo"))
    if int(memory.group(1)) // 1024 < NEEDED_MIB:
        return f"{NODES * WORKERS} PyTorch processes take {NEEDED_MIB} MiB; {memory.group(0)}"
    return None


class PyTorch(ClusterTest):
    nodes = NODES

    @classmethod
    def setUpClass(cls):
        reason = reason_to_skip()
        if reason:
            raise harness.unittest.SkipTest(reason)
        super().setUpClass()

    def train(self, tasks, *options):
        run = self.run_to_end(
            "srun", f"-N{NODES}", f"--ntasks-per-node={tasks}", "muster", "--check=off",
            "--prefix=none", *options, TRAIN, "--cpu", f"--steps={STEPS}", limit=LIMIT_S,
            PYTHON_EXEC=PYTHON)
        self.expect_code(run, 0)
        print(f"    {tasks} tasks a node: {run.seconds:.1f} s", flush=True)
        return run

    def test_both_task_shapes_reach_the_same_loss(self):
        results = []
        for tasks, options in ((1, [f"--nproc-per-node={WORKERS}"]), (WORKERS, [])):
            run = self.train(tasks, *options)
            size = NODES * WORKERS
            self.assertEqual(run.out.count(f"{size} ranks, gloo"), 1, run)
            done = re.search(rf"done: {size} ranks agree, (step .*, parameters \w+)", run.out)
            self.assertIsNotNone(done, run)
            losses = [float(loss) for loss in re.findall(r"^step \d+ loss ([\d.]+)", run.out, re.M)]
            self.assertLess(losses[-1], losses[0], run)
            results.append(done.group(1))
        self.assertEqual(results[0], results[1])

    @harness.unittest.skipIf(FULL, "done with fewer ranks")
    def test_a_rank_that_raises_is_named_from_its_error_file(self):
        run = self.run_to_end(
            "srun", f"-N{NODES}", "--ntasks-per-node=2", "muster", "--check=off", "--stop-grace=5",
            TRAIN, "--cpu", "--fail-at-step=2", "--fail-rank=3", limit=LIMIT_S, PYTHON_EXEC=PYTHON)
        self.expect_code(run, 1)
        self.expect_verdict(run, r"rank 3 \(node2, local rank 1\) failed first: .*Error")
        self.assertRegex(run.err, r"  \| RuntimeError: rank 3 fails at step 2", run)


if __name__ == "__main__":
    sys.argv = [word for word in sys.argv if word != "full"]
    harness.main()
