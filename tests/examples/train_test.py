"""examples/02_pytorch_ddp/train.py with two ranks that no launcher started: what it promises of
loss, failure and resume holds under any. Exits 77 where no python3 has PyTorch."""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRAIN = os.path.join(ROOT, "examples", "02_pytorch_ddp", "train.py")
DEADLINE_S = 60


def find_python():
    for name in (os.environ.get("PYTHON_EXEC"), "python3", "/usr/bin/python3"):
        path = name and shutil.which(name)
        if path and not subprocess.run([path, "-c", "import torch"], capture_output=True).returncode:
            return path
    return None


def find_free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


class TrainTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def start_rank(self, rank, port, options):
        environment = dict(
            os.environ, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2",
            MASTER_ADDR="127.0.0.1", MASTER_PORT=port,
            TORCHELASTIC_ERROR_FILE=self.path(f"error.{rank}.json"),
        )
        process = subprocess.Popen(
            [PYTHON, TRAIN, "--cpu", *options], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def path(self, name):
        return os.path.join(self.folder, name)

    def train(self, *options, other_options=None):
        """Runs both ranks, rank 1 with other options if given: their (exit code, stdout, stderr)."""
        port = find_free_port()
        ranks = [self.start_rank(0, port, options)]
        ranks.append(self.start_rank(1, port, options if other_options is None else other_options))
        outputs = [rank.communicate(timeout=DEADLINE_S) for rank in ranks]
        return [(rank.returncode, *output) for rank, output in zip(ranks, outputs)]

    def train_well(self, *options):
        """Returns {step: loss} and the last line without its time."""
        ranks = self.train(*options)
        for code, _, errors in ranks:
            self.assertEqual(code, 0, errors)
        self.assertEqual(ranks[1][1], "", "rank 1 must be silent")
        output = ranks[0][1]
        lines = re.findall(r"^step (\d+) loss (\d+\.\d{6})$", output, re.M)
        losses = {int(step): float(loss) for step, loss in lines}
        end = re.search(r"^(done: 2 ranks agree, .*), [\d.]+ s$", output, re.M)
        self.assertTrue(end, output)
        return losses, end.group(1)

    def test_loss_falls_and_is_the_same_again(self):
        losses, end = self.train_well()
        self.assertEqual(sorted(losses), [1, 10, 20, 30, 40])
        self.assertAlmostEqual(losses[1], 5.0, delta=0.3)  # ln 128 is 4.85
        self.assertLess(losses[40], 3.5)
        self.assertEqual(self.train_well(), (losses, end))
        self.assertNotEqual(self.train_well("--seed", "2")[1], end)

    def test_run_that_failed_resumes_with_the_same_batches(self):
        whole, _ = self.train_well("--steps", "20")
        options = ("--steps", "20", "--checkpoint", self.path("checkpoint.pt"))
        ranks = self.train(*options, "--fail-at-step", "15", "--fail-rank", "1")
        self.assertEqual([code for code, _, _ in ranks], [1, 1])
        self.assertIn("rank 1 fails at step 15", ranks[1][2])
        with open(self.path("error.1.json")) as file:
            self.assertIn("rank 1 fails at step 15", json.load(file)["message"]["message"])
        losses, _ = self.train_well(*options)
        self.assertEqual(list(losses), [20])
        # DDP sums the gradients of a run's first step in another order.
        self.assertAlmostEqual(losses[20], whole[20], delta=1e-3)
        self.assertEqual(self.train_well(*options)[0], {}, "nothing is left to train")

    def test_ranks_with_different_texts_refuse_to_train(self):
        ranks = self.train("--text", TRAIN, other_options=("--text", __file__))
        for code, output, errors in ranks:
            self.assertEqual(code, 1)
            self.assertIn("the text differs from rank 0's on ranks [1]", errors)
            self.assertNotIn("step 1 ", output)

    def test_asked_failure_happens_in_the_first_attempt_only(self):
        os.environ["TORCHELASTIC_RESTART_COUNT"] = "1"
        self.addCleanup(os.environ.pop, "TORCHELASTIC_RESTART_COUNT")
        self.train_well("--steps", "3", "--fail-at-step", "2")


PYTHON = find_python()

if __name__ == "__main__":
    if not PYTHON:
        print("skipped: no python3 here has PyTorch")
        sys.exit(77)
    unittest.main(verbosity=2)
