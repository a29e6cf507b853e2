"""Programs that embed the rendezvous library, as tasks of a plain `srun`: no muster process, each
task is one member. The C example, and PyTorch where /usr/bin/python3 has it."""
import os
import re
import signal
import subprocess
import time

import harness
from harness import ClusterTest, wait_until

PYTHON = "/usr/bin/python3"
EXCHANGE = os.path.join(harness.BIN, "exchange")
TRAIN = f"{harness.ROOT}/examples/08_plain_srun_pytorch/train.py"
LIBRARY = os.path.join(harness.BIN, "libmuster_rendezvous.so.0")
TRAIN_LIMIT_S = 120
# A killed task: srun ends the others. Slurm gives tasks KillWait between SIGTERM and SIGKILL.
END_LIMIT_S = 10


def has_torch():
    return subprocess.run([PYTHON, "-c", "import torch"], capture_output=True).returncode == 0


def is_sanitized():
    """A sanitized library cannot be loaded into a Python that is not."""
    symbols = subprocess.run(["nm", "-D", LIBRARY], capture_output=True, text=True, check=True)
    return "__asan_init" in symbols.stdout


class PlainSrun(ClusterTest):
    nodes = 4

    def expect_exchange(self, *srun, size=8, **variables):
        run = self.run_to_end("srun", *srun, EXCHANGE, **variables)
        self.expect_code(run, 0)
        lines = re.findall(r"^rank (\d+) of (\d+) on (\w+): id (\w+)$", run.out, re.M)
        self.assertEqual(sorted(int(rank) for rank, *_ in lines), list(range(size)), run)
        self.assertEqual({(int(world), ident) for _, world, _, ident in lines},
                         {(size, lines[0][3])}, run)
        return run, {int(rank): host for rank, _, host, _ in lines}

    def test_tasks_of_a_c_program_exchange_an_id(self):
        _, hosts = self.expect_exchange("-N4", "--ntasks-per-node=2")
        self.assertEqual([hosts[rank] for rank in range(8)],
                         [f"node{1 + rank // 2}" for rank in range(8)])

    def test_ranks_are_slurms_with_a_cyclic_distribution(self):
        _, hosts = self.expect_exchange("-N4", "--ntasks-per-node=2", "--distribution=cyclic")
        self.assertEqual([hosts[rank] for rank in range(8)],
                         [f"node{1 + rank % 4}" for rank in range(8)])

    def test_two_steps_of_one_job_do_not_meet(self):
        script = f"srun -N2 -n2 --overlap {EXCHANGE} & srun -N2 -n2 --overlap {EXCHANGE} & wait"
        job = self.batch(script, "-N2", "-n4")
        self.await_job(job)
        text = harness.read_text(self.path("batch.log"))
        for rank in (0, 1):
            self.assertEqual(len(re.findall(rf"^rank {rank} of 2 on", text, re.M)), 2, text)

    def test_a_task_that_dies_before_it_joins_ends_the_others(self):
        pids = self.path("pids")  # Slurm signals no task that it has not started yet
        run = self.run_to_end("srun", "-N4", "-n4", "--kill-on-bad-exit=1", "sh", "-c",
                              f'echo $$ >>{pids}; if [ "$SLURM_PROCID" = 2 ]; then'
                              f' until [ "$(wc -l <{pids})" = 4 ]; do sleep 0.02; done; exit 3; fi;'
                              f' exec {EXCHANGE}')
        self.assertNotEqual(run.code, 0, run)
        self.expect_nothing_left()

    def test_in_the_batch_script_it_says_srun(self):
        job = self.batch(f"{EXCHANGE}; exit 0", "-N2")
        self.await_job(job)
        self.assertRegex(harness.read_text(self.path("batch.log")),
                         "in none of its steps: start it with srun")


@harness.unittest.skipUnless(has_torch(), f"{PYTHON} has no torch")
@harness.unittest.skipIf(is_sanitized(), "the library is built with a sanitizer")
class PlainSrunPyTorch(ClusterTest):
    nodes = 4

    def train(self, *options):
        variables = dict(PYTHONPATH=f"{harness.ROOT}/rendezvous/python", PYTHONDONTWRITEBYTECODE="1",
                         MUSTER_RENDEZVOUS_LIBRARY=LIBRARY)
        return self.start("srun", "-N4", "-n8", "--kill-on-bad-exit=1", PYTHON, TRAIN, "--cpu",
                          *options, **variables)

    def test_training_finds_its_ranks(self):
        run = self.train("--steps=50").finish(TRAIN_LIMIT_S)
        self.expect_code(run, 0)
        self.assertRegex(run.out, r"step 1 loss [\d.]+")
        self.assertRegex(run.out, r"8 ranks on 4 nodes: y = \d\.\d+ x \+ \d\.\d+", run)
        self.expect_nothing_left()

    def test_a_killed_task_ends_all(self):
        run = self.train("--steps=1000000")
        wait_until(lambda: "step 1 loss" in run.out, "the first step", TRAIN_LIMIT_S)
        tasks = [p for p in self.processes() if TRAIN in p.words
                 and p.program.startswith("python3")]
        victim = next(p for p in tasks if p.variables["SLURM_PROCID"] == "3")
        since = time.monotonic()
        victim.signal(signal.SIGKILL)
        run.finish(END_LIMIT_S + harness.LOAD_ALLOWANCE_S)
        print(f"    ended {time.monotonic() - since:.1f} s after the kill", flush=True)
        self.assertNotEqual(run.code, 0, run)
        self.expect_nothing_left()


if __name__ == "__main__":
    harness.main()
