"""The agents' door: strangers knock while the job assembles, names resolve to the wrong place,
munge is missing. The job comes together with its own agents, or says what to write."""
import contextlib
import os
import re
import signal
import time

import harness
import worlds
from harness import ClusterTest, wait_until

REFUSED = 82


class HeldBack(ClusterTest):
    """A job of four nodes whose last node starts muster only when the test says so."""

    def start_held_back(self, *options):
        script = (f'if [ $SLURM_NODEID = 3 ]; then until [ -e {self.path("go")} ]; do'
                  f' sleep 0.05; done; fi; exec muster --check=off --nproc-per-node=2'
                  f' {" ".join(options)}'
                  f' {worlds.PRINT_WORLD}')
        run = self.start("srun", "-N4", "sh", "-c", script)
        self.port = wait_until(self.find_door, "the coordinator's port")
        return run

    def let_go_on(self, run):
        open(self.path("go"), "w", encoding="utf-8").close()
        run.finish()
        worlds.expect_world(self, run, [(f"node{i}", 2) for i in (1, 2, 3, 4)])

    def find_door(self):
        """The port in node1 on which an agent of this test listens."""
        agents = self.agents().get("node1", [])
        if not agents:
            return None
        inodes = set()
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{agents[0].pid}/fd"):
                target = os.readlink(f"/proc/{agents[0].pid}/fd/{fd}")
                inodes.update(re.findall(r"socket:\[(\d+)\]", target))
        for table in ("tcp", "tcp6"):
            for line in harness.read_text(f"/proc/{agents[0].pid}/net/{table}").splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and fields[9] in inodes:
                    return int(fields[1].rsplit(":", 1)[1], 16)
        return None


class Strangers(HeldBack):
    def knock(self, host, kind, *prefix):
        """Starts programs/stranger.py on a node; it prints a line once it is at the door. By its
        text: another user may not read the checkout."""
        text = harness.read_text(f"{harness.PROGRAMS}/stranger.py")
        stranger = self.start(*prefix, "/usr/bin/python3", "-c", text, kind, "node1",
                              str(self.port), host=host)
        wait_until(lambda: "at the door" in stranger.out or stranger.process.poll() is not None,
                   f"{kind} at the door")
        self.assertIn("at the door", stranger.out, stranger)
        return stranger

    def expect_job_goes_on(self, *kinds, prefix=()):
        run = self.start_held_back()
        strangers = [self.knock(host, kind, *prefix)
                     for kind in kinds for host in ("login", "node2")]
        since = time.monotonic()
        self.let_go_on(run)
        self.expect_within(time.monotonic() - since, 0, run)
        for process in self.processes("python3"):
            process.signal(signal.SIGKILL)
        for stranger in strangers:
            stranger.process.wait(timeout=harness.EVENT_LIMIT_S)

    def test_random_bytes(self):
        self.expect_job_goes_on("random")

    def test_http(self):
        self.expect_job_goes_on("http")

    def test_half_open_and_slow_ones(self):
        self.expect_job_goes_on("silent", "slow")

    def test_hundreds_of_connections(self):
        self.expect_job_goes_on("crowd")

    def test_another_user(self):
        nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
        self.expect_job_goes_on("silent", "random", "crowd", prefix=nobody)

    def test_another_user_s_job_of_the_same_name(self):
        """nobody starts muster itself, with every variable of our step, from a node of the job."""
        run = self.start_held_back()
        agent = self.agents()["node1"][0]
        names = {name: value for name, value in agent.variables.items() if name.startswith("SLURM")}
        names.update(SLURM_NODEID="3", SLURM_PROCID="3", SLURM_LOCALID="0", SLURMD_NODENAME="node4",
                     SLURM_GTIDS="3")
        thief = self.start(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", "muster",
            "--check=off", "--assemble-deadline=3", "--nproc-per-node=2", "echo", "stolen",
            host="node4", **names)
        thief.finish()
        self.assertNotEqual(thief.code, 0, thief)
        self.assertNotIn("stolen", thief.out, thief)
        self.let_go_on(run)
        self.assertNotIn("stolen", run.out, run)


class Names(HeldBack):
    """Every node's own name leads to 127.0.1.1 somewhere; here on the coordinator's."""

    settings = {"HOSTS_LOOPBACK": "node1"}

    def test_the_coordinator_s_own_name_is_loopback(self):
        run = self.run_to_end("srun", "-N4", "--ntasks-per-node=2", "muster", "--check=off",
                              worlds.PRINT_WORLD)
        workers = worlds.expect_world(self, run, [(f"node{i}", 2) for i in (1, 2, 3, 4)])
        self.assertEqual({worker["master"] for worker in workers}, {"10.77.0.1"}, run)

    def test_workers_meet_there(self):
        run = self.run_to_end("srun", "-N4", "--ntasks-per-node=2", "muster", "--check=off",
                              f"{harness.PROGRAMS}/meet.py")
        self.expect_code(run, 0)
        self.assertIn("met 1 2 3 4 5 6 7", run.out, run)


class NamesOfAnother(ClusterTest):
    settings = {"HOSTS_LOOPBACK": "node2"}

    def test_another_node_s_own_name_is_loopback(self):
        run = self.run_to_end("srun", "-N4", "--ntasks-per-node=2", "muster", "--check=off",
                              worlds.PRINT_WORLD)
        worlds.expect_world(self, run, [(f"node{i}", 2) for i in (1, 2, 3, 4)])


class SixToo(ClusterTest):
    settings = {"NET6": 1}

    def test_two_address_families(self):
        run = self.run_to_end("srun", "-N4", "--ntasks-per-node=2", "muster", "--check=off",
                              f"{harness.PROGRAMS}/meet.py")
        self.expect_code(run, 0)
        self.assertIn("met 1 2 3 4 5 6 7", run.out, run)


class Proof(ClusterTest):
    def muster(self, **variables):
        return self.run_to_end("srun", "-N4", "--ntasks-per-node=2", "muster", "--check=off",
                               "--assemble-deadline=5", worlds.PRINT_WORLD, **variables)

    def in_a_step_without_munge(self, **variables):
        """Only muster's tasks lose munge; srun itself cannot do without."""
        return self.run_to_end("srun", "-N4", "--ntasks-per-node=2", "env",
                               "MUNGE_SOCKET=/nonexistent", "muster", "--check=off",
                               "--assemble-deadline=5", worlds.PRINT_WORLD, **variables)

    def test_a_token_takes_the_place_of_munge(self):
        run = self.in_a_step_without_munge(MUSTER_TOKEN="0123456789abcdef0123456789abcdef")
        worlds.expect_world(self, run, [(f"node{i}", 2) for i in (1, 2, 3, 4)])

    def test_without_munge_and_token_the_line_to_write_is_printed(self):
        run = self.in_a_step_without_munge()
        self.expect_failure(run, REFUSED, r"MUSTER_TOKEN")
        self.assertEqual(len(run.muster_lines()), 4, run)  # one a node: munge may lack on one

    def test_a_token_that_differs_on_one_node_is_refused(self):
        run = self.run_to_end(
            "srun", "-N4", "sh", "-c",
            "export MUSTER_TOKEN=0123456789abcdef0123456789abcdef;"
            " [ $SLURM_NODEID != 2 ] || MUSTER_TOKEN=fedcba9876543210fedcba9876543210;"
            f" exec muster --check=off --assemble-deadline=5 {worlds.PRINT_WORLD}")
        self.assertIn(run.code, (REFUSED, 81), run)
        self.assertIn("node3", run.err, run)
        self.assertNotIn("world rank", run.out, run)
        self.expect_nothing_left()

    def test_no_token_reaches_a_worker(self):
        run = self.run_to_end("srun", "-N2", "muster", "--check=off", "env",
                              MUSTER_TOKEN="0123456789abcdef0123456789abcdef")
        self.expect_code(run, 0)
        self.assertNotIn("0123456789abcdef", run.out, run)


class PortsTaken(ClusterTest):
    def test_a_stranger_on_the_first_ports_is_walked_past(self):
        """Someone else's server sits on every port that Slurm reserved for the step."""
        script = ('if [ $SLURM_LOCALID = 0 ] && [ $SLURM_NODEID = 0 ]; then'
                  f' /usr/bin/python3 {harness.PROGRAMS}/squat.py $SLURM_STEP_RESV_PORTS'
                  f' {self.path("squatting")} & fi;'
                  f' until [ -e {self.path("squatting")} ]; do sleep 0.05; done;'
                  f' muster --check=off {worlds.PRINT_WORLD}; code=$?; kill %1 2>/dev/null;'
                  ' exit $code')
        run = self.run_to_end("srun", "-N4", "--ntasks-per-node=2", "bash", "-c", script)
        worlds.expect_world(self, run, [(f"node{i}", 2) for i in (1, 2, 3, 4)])


if __name__ == "__main__":
    harness.main()
