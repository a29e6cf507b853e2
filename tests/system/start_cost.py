"""What a start costs: srun alone, muster and torchrun with a program that does nothing, on four
nodes of the local cluster; and what the agents take of memory while their workers sleep.

A measurement, not a test:  tests/system/start_cost.py [--repeats N] [--no-torchrun]
MUSTER_BIN_DIR names the folder of the programs, as for the tests.
"""
import argparse
import re
import statistics
import sys

import harness
from harness import Cluster, ClusterTest

NODES = 4
TORCHRUN = ("/usr/bin/python3", "-m", "torch.distributed.run")
# Debian 12's torchrun fails under Python 3.11 without these two.
TORCHRUN_FIX = ("-r", "9:0", "-t", "9:0")
TORCHRUN_LIMIT_S = 90


class Bench(ClusterTest):
    """The tests' fixture, used by hand: a cluster and a folder."""

    nodes = NODES

    def runTest(self):
        raise NotImplementedError("a bench is no test")

    def time(self, repeats, *words, limit=harness.RUN_LIMIT_S):
        """Seconds of each run, sorted."""
        seconds = []
        for _ in range(repeats):
            run = self.run_to_end(*words, limit=limit)
            self.expect_code(run, 0)
            seconds.append(run.seconds)
        return sorted(seconds)

    def measure_memory(self):
        """(VmRSS, VmHWM) in kB of each process of muster, agents and their helpers, by kind."""
        run = self.start("srun", f"-N{NODES}", "--ntasks-per-node=1", "muster", "--check=off",
                         "--nproc-per-node=8", harness.ZOO, "tell-pid", self.path("pids"),
                         "sleep", "3000")
        self.await_lines("pids", NODES * 8)
        agents = {agent.pid for found in self.agents().values() for agent in found}
        table = {}
        for process in self.processes():
            if not process.program.startswith("muster"):
                continue
            kind = "agent" if process.pid in agents else f"{process.program}, child of an agent"
            table.setdefault(kind, []).append(
                tuple(int(process.status(field).split()[0]) for field in ("VmRSS", "VmHWM")))
        self.expect_code(run.finish(), 0)
        return table


def has_torchrun():
    done = harness.subprocess.run([TORCHRUN[0], "-c", "import torch.distributed.run"],
                                  capture_output=True, check=False)
    return done.returncode == 0


def print_times(bench, repeats, with_torchrun):
    muster = ("srun", f"-N{NODES}", "--ntasks-per-node=1", "muster", "--check=off",
              "--nproc-per-node=8", "--", "true")
    muster_eight = ("srun", f"-N{NODES}", "--ntasks-per-node=8", "muster", "--check=off", "--",
                    "true")
    rows = [("srun -n4 true", ("srun", "-N4", "-n4", "true"), repeats),
            ("srun -n32 true", ("srun", "-N4", "-n32", "true"), repeats),
            ("srun -n4 muster, 8 workers each", muster, repeats),
            ("srun -n32 muster, 1 worker each", muster_eight, repeats)]
    if with_torchrun and has_torchrun():
        rows.append(("srun -n4 torchrun, 8 workers each", (
            "srun", f"-N{NODES}", "--ntasks-per-node=1", *TORCHRUN, *TORCHRUN_FIX,
            f"--nnodes={NODES}", "--nproc_per_node=8", "--rdzv_backend=c10d",
            "--rdzv_endpoint=node1:29500", "--rdzv_id=1", "--no_python", "true"), 2))
    print(f"{'seconds, 4 nodes':36} {'median':>8} {'least':>8} {'most':>8}  runs")
    for name, words, count in rows:
        seconds = bench.time(count, *words, limit=TORCHRUN_LIMIT_S)
        print(f"{name:36} {statistics.median(seconds):8.3f} {seconds[0]:8.3f} {seconds[-1]:8.3f}"
              f"  {count}", flush=True)


def print_memory(table):
    print(f"\n{'MB while 8 workers a node sleep':36} {'VmRSS':>8} {'VmHWM':>8}  processes")
    for kind, sizes in sorted(table.items()):
        resident, highest = (max(column) / 1000 for column in zip(*sizes))
        print(f"{kind:36} {resident:8.1f} {highest:8.1f}  {len(sizes)}")


def main():
    parser = argparse.ArgumentParser(description=re.sub(r"\n\n.*", "", __doc__, flags=re.S))
    parser.add_argument("--repeats", type=int, default=9, help="runs of each (%(default)s)")
    parser.add_argument("--no-torchrun", action="store_true", help="leave torchrun out")
    arguments = parser.parse_args()
    bench = Bench()
    Bench.cluster = Cluster(NODES, {})
    try:
        Bench.cluster.up()
        bench.setUp()
        print_times(bench, arguments.repeats, not arguments.no_torchrun)
        print_memory(bench.measure_memory())
    except harness.unittest.SkipTest as reason:
        print(f"cannot measure here: {reason}", file=sys.stderr)
        sys.exit(harness.SKIPPED)
    finally:
        bench.doCleanups()
        Bench.cluster.down()


if __name__ == "__main__":
    main()
