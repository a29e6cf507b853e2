"""PyTorch programs on the store that rank 0's agent serves. With the argument `full` 32 workers,
without it 2 nodes with 2 each."""
import os
import signal
import sys

import harness
import pytorch_test
import worlds
from harness import ClusterTest

FULL = "full" in sys.argv[1:]
NODES, WORKERS = (4, 8) if FULL else (2, 2)
LIMIT_S = 280 if FULL else 90
USE_STORE = f"{harness.PROGRAMS}/use_store.py"


class Store(ClusterTest):
    """What needs no PyTorch."""

    def meet(self, *options, srun=("-N4", "--ntasks-per-node=2"), **more):
        open(self.path("go"), "w", encoding="utf-8").close()
        return self.run_to_end(
            "srun", *srun, "muster", "--check=off", "--prefix=none", *options, "/usr/bin/python3",
            f"{harness.PROGRAMS}/meet_in_store.py", self.path("go"), **more)

    def expect_met(self, run, address):
        self.expect_code(run, 0)
        for name in ("first", "second", "third"):
            self.assertRegex(run.out, rf"met {name} {address} 1\d{{4}}\n", run)
        self.assertEqual(run.err, "", run)

    def test_workers_of_all_nodes_meet_in_it(self):
        self.expect_met(self.meet(), r"10\.77\.0\.1")

    def test_task_0_on_the_last_node(self):
        hosts = self.path("hosts")
        with open(hosts, "w", encoding="utf-8") as file:
            file.write("node3\nnode1\nnode1\nnode2\n")
        run = self.meet(srun=("-N3", "-n4", "--distribution=arbitrary"), SLURM_HOSTFILE=hosts)
        self.expect_met(run, r"10\.77\.0\.1")

    def test_a_part_of_the_nodes(self):
        run = self.meet(srun=("-N2", "-n4", "-w", "node2,node4"))
        self.expect_met(run, r"10\.77\.0\.2")

    def test_it_outlives_rank_0(self):
        open(self.path("go"), "w", encoding="utf-8").close()
        run = self.start("srun", "-N2", "--ntasks-per-node=2", "muster", "--check=off",
                         "--prefix=none", "/usr/bin/python3",
                         f"{harness.PROGRAMS}/meet_in_store.py", self.path("go"), self.path("last"))
        harness.wait_until(lambda: "met third" in run.out, "the third meeting")
        harness.wait_until(lambda: len(self.workers()) == 3, "the end of rank 0")
        open(self.path("last"), "w", encoding="utf-8").close()
        run.finish()
        self.expect_code(run, 0)
        self.assertIn("met last", run.out, run)

    def workers(self):
        return [process for process in self.processes("python3") if "RANK" in process.variables]

    def test_a_port_of_the_user_s(self):
        run = self.meet("--master-port=14321")
        self.expect_met(run, r"10\.77\.0\.1")
        self.assertIn("met first 10.77.0.1 14321\n", run.out, run)

    def test_a_port_of_the_user_s_that_is_taken(self):
        squatter = self.start("/usr/bin/python3", f"{harness.PROGRAMS}/squat.py", "14321-14321",
                              self.path("squatting"), host="node1")
        harness.wait_until(lambda: os.path.exists(self.path("squatting")), "the squatter")
        run = self.meet("--master-port=14321")
        for process in self.processes("python3"):
            process.signal(signal.SIGKILL)
        squatter.process.wait(timeout=harness.EVENT_LIMIT_S)
        self.expect_failure(run, 80, r"--master-port=14321: .*leave the option out")
        self.assertEqual(len(run.muster_lines()), 1, run)

    def test_the_world_is_told_where(self):
        run = self.run_to_end("srun", "-N4", "muster", "--check=off", "--nproc-per-node=2",
                              worlds.PRINT_WORLD)
        worlds.expect_world(self, run, [(f"node{i}", 2) for i in (1, 2, 3, 4)])

    def test_with_a_store_of_rank_0_s_own(self):
        run = self.run_to_end("srun", "-N4", "--ntasks-per-node=2", "muster", "--check=off",
                              "--store=rank0", f"{harness.PROGRAMS}/meet.py")
        self.expect_code(run, 0)
        self.assertIn("met 1 2 3 4 5 6 7", run.out, run)


class PyTorchStore(ClusterTest):
    nodes = NODES

    @classmethod
    def setUpClass(cls):
        reason = pytorch_test.reason_to_skip()
        if reason:
            raise harness.unittest.SkipTest(reason)
        super().setUpClass()

    def use(self, how, store="agent"):
        run = self.run_to_end(
            "srun", f"-N{NODES}", "--ntasks-per-node=1", "muster", "--check=off", "--prefix=none",
            f"--nproc-per-node={WORKERS}", f"--store={store}", USE_STORE, how, limit=LIMIT_S,
            PYTHON_EXEC=pytorch_test.PYTHON)
        self.expect_code(run, 0)
        self.assertIn(f"done {how} {store == 'agent'}\n", run.out, run)
        print(f"    {how} {store}: {run.seconds:.1f} s", flush=True)

    def test_env(self):
        self.use("env")

    def test_tcp_at_the_agent_s_store(self):
        self.use("tcp")

    def test_a_store_of_the_program_s_own_on_the_next_port(self):
        self.use("own")

    @harness.unittest.skipIf(FULL, "done with fewer ranks")
    def test_rank_0_s_own(self):
        self.use("env", store="rank0")

    @harness.unittest.skipIf(FULL, "done with fewer ranks")
    def test_tcp_on_the_next_port_needs_rank_0_s_own(self):
        self.use("next", store="rank0")


if __name__ == "__main__":
    sys.argv = [word for word in sys.argv if word != "full"]
    harness.main()
