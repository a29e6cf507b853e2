"""Who may enter the two doors of a running job: another user of the job's nodes and any process
outside them are shown out with one line, and the job goes on."""
import os
import re
import subprocess
import time

import harness
from harness import ClusterTest, wait_until

WINDOW_S = 3
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
MEET = f"{harness.PROGRAMS}/meet_in_store.py"
# By its text: another user may not read the checkout.
KNOCK = harness.read_text(f"{harness.PROGRAMS}/knock.py")
# Garbage and an abandoned connection, again and again.
SCAN = """
import random, socket, sys, time
end = time.monotonic() + 3
rounds = 0
while time.monotonic() < end:
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5) as door:
            if rounds % 2:
                door.sendall(random.Random(rounds).randbytes(5000))
                door.recv(100)
    except OSError:
        pass
    rounds += 1
print("scanned", rounds, flush=True)
"""


class Admission(ClusterTest):
    """A job of three nodes of four, whose workers hold their connections to the store."""

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("to act as another user takes root")
        self.job = None

    def start_job(self, *options, prefix=()):
        with open(MEET, encoding="utf-8") as file:
            text = file.read()
        self.job = self.start(
            *prefix, "srun", "--chdir=/tmp", "-N3", "--ntasks-per-node=2", "-w", "node[1-3]",
            "muster", "--check=off", "--prefix=none", *options, "/usr/bin/python3", "-c", text,
            self.path("go"))
        met = wait_until(lambda: re.search(r"met first (\S+) (\d+)", self.job.out) or
                         self.job.process.poll() is not None, "the workers' first meeting")
        self.assertNotEqual(met, True, self.job)
        self.address, self.store = met.group(1), int(met.group(2))

    def agents_door(self):
        """The other port on which node1's first agent listens."""
        agent = self.agents()["node1"][0]
        inodes = {os.readlink(path)[8:-1] for path in self.descriptors(agent.pid)}
        found = set()
        for table in ("tcp", "tcp6"):
            for line in harness.read_text(f"/proc/{agent.pid}/net/{table}").splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and fields[9] in inodes:
                    found.add(int(fields[1].rsplit(":", 1)[1], 16))
        self.assertEqual(len(found - {self.store}), 1, found)
        return (found - {self.store}).pop()

    @staticmethod
    def descriptors(pid):
        folder = f"/proc/{pid}/fd"
        return [f"{folder}/{fd}" for fd in os.listdir(folder)
                if os.path.lexists(f"{folder}/{fd}") and
                os.readlink(f"{folder}/{fd}").startswith("socket:")]

    def knock(self, host, port, *prefix):
        run = self.run_to_end(*prefix, "/usr/bin/python3", "-c", KNOCK, self.address, str(port),
                              host=host)
        self.expect_code(run, 0)
        return run.out.strip()

    def let_job_end(self):
        open(self.path("go"), "w", encoding="utf-8").close()
        self.job.finish()
        self.expect_code(self.job, 0)
        self.assertIn("met third", self.job.out, self.job)

    def expect_lines(self, *patterns):
        """One line of the job for each pattern, and no other."""
        wait_until(lambda: len(self.job.muster_lines()) >= len(patterns),
                   f"{len(patterns)} lines in {self.job}")
        self.let_job_end()
        lines = self.job.muster_lines()
        self.assertEqual(len(lines), len(patterns), self.job)
        for line, pattern in zip(lines, patterns):
            self.assertRegex(line, pattern, self.job)

    # The store.

    def test_another_user_on_the_store_s_node(self):
        self.start_job()
        self.assertEqual(self.knock("node1", self.store, *NOBODY), "shown out")
        self.expect_lines(r"store: refused 10\.77\.0\.1: uid 65534 owns it")

    def test_another_user_on_another_node_of_the_job(self):
        self.start_job()
        self.assertEqual(self.knock("node2", self.store, *NOBODY), "shown out")
        self.expect_lines(r"store: refused 10\.77\.0\.2: uid 65534 owns it")

    def test_the_job_s_user_on_a_node_of_the_job(self):
        self.start_job()
        self.assertEqual(self.knock("node3", self.store), "served")
        self.let_job_end()

    def test_a_node_that_is_not_in_the_step(self):
        self.start_job()
        self.assertEqual(self.knock("node4", self.store), "shown out")
        self.expect_lines(r"store: refused 10\.77\.0\.4: no node of this job has its address")

    def test_the_login_node(self):
        self.start_job()
        self.assertEqual(self.knock("login", self.store), "shown out")
        self.expect_lines(r"store: refused 10\.77\.0\.254: no node of this job has")

    def test_root_where_the_job_is_another_user_s(self):
        may_start = subprocess.run([*NOBODY, "test", "-x", os.path.join(harness.BIN, "muster")])
        if may_start.returncode != 0:
            self.skipTest(f"another user may not start {harness.BIN}/muster")
        os.chmod(self.folder, 0o777)
        self.start_job(prefix=NOBODY)
        self.assertEqual(self.knock("node2", self.store), "shown out")
        self.expect_lines(r"store: refused 10\.77\.0\.2: uid 0 owns it.* uid 65534, the job's")

    def test_by_node_another_user_is_served_and_another_node_is_not(self):
        self.start_job("--store-admission=node")
        self.assertEqual(self.knock("node2", self.store, *NOBODY), "served")
        self.assertEqual(self.knock("node1", self.store, *NOBODY), "served")
        self.assertEqual(self.knock("node4", self.store), "shown out")
        self.expect_lines(r"store: refused 10\.77\.0\.4: no node of this job has its address")

    def test_open_serves_anyone(self):
        self.start_job("--store-admission=open")
        self.assertEqual(self.knock("login", self.store, *NOBODY), "served")
        self.let_job_end()

    # Both doors.

    def test_the_agents_door(self):
        self.start_job()
        door = self.agents_door()
        self.assertEqual(self.knock("node2", door, *NOBODY), "shown out")
        self.assertEqual(self.knock("node4", door), "shown out")
        self.expect_lines(r"closing the connection of 10\.77\.0\.2: not a frame",
                          r"closing the connection of 10\.77\.0\.4: not a frame")

    def test_scanners_cost_no_job(self):
        self.start_job()
        agent = self.agents()["node1"][0]
        runs = [self.start(*prefix, "/usr/bin/python3", "-c", SCAN, self.address, str(port),
                           host=host)
                for port in (self.store, self.agents_door())
                for host, prefix in (("node1", NOBODY), ("node2", ()), ("node4", ()))]
        rounds = [int(run.finish().out.split()[1]) for run in runs]
        self.assertGreater(min(rounds), 10, rounds)
        spent = self.processor_seconds(agent.pid)
        time.sleep(WINDOW_S)  # what is measured, not a wait
        idle = self.processor_seconds(agent.pid) - spent
        print(f"    {sum(rounds)} connections cost the agent {spent:.2f} s; then it takes"
              f" {idle / WINDOW_S:.1%} of a core", flush=True)
        self.assertLess(idle / WINDOW_S, 0.02, "of a core, after the scan")
        self.let_job_end()

    @staticmethod
    def processor_seconds(pid):
        fields = harness.read_text(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    harness.main()
