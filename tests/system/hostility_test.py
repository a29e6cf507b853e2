"""Both doors of a running job are scanned with random bytes from other nodes: the job goes on and
ends well, its agents rest afterwards, and the log gets a handful of lines.

hostility_test.py [SECONDS]: how long the scan lasts (default 5; the issue's minute is 60)."""
import os
import re
import sys
import time

import harness
from harness import ClusterTest, wait_until

SCAN_S = int(sys.argv.pop(1)) if sys.argv[1:2] and sys.argv[1].isdigit() else 5
WINDOW_S = 5  # of the measurement after the scan
REACH_SHARE = 0.01  # of a core: what the issue asks for; it is printed
ALLOWED_SHARE = 0.03  # what a loaded machine may add
LINES_OF_AN_ADDRESS = 14  # two doors: two lines each, then one a power of ten
MEET = f"{harness.PROGRAMS}/meet_in_store.py"

# A new connection each time: noise of any length, or the first bytes of a known protocol.
SCANNER = """
import random, socket, sys, time
chance = random.Random(sys.argv[4])
known = [b"GET / HTTP/1.1\\r\\n\\r\\n", b"SSH-2.0-OpenSSH_9.2\\r\\n", b"\\x16\\x03\\x01\\x02\\x00\\x01",
         b"\\x00\\xce\\xf7\\x85\\x3c", b""]
end = time.monotonic() + float(sys.argv[3])
rounds = 0
while time.monotonic() < end:
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5) as door:
            door.sendall(chance.choice(known) + chance.randbytes(chance.choice((0, 9, 300, 20000))))
            door.settimeout(0.05)
            door.recv(100)
    except OSError:
        pass
    rounds += 1
print("scanned", rounds, flush=True)
"""


class Scan(ClusterTest):
    def start_job(self):
        job = self.start("srun", "-N4", "--ntasks-per-node=2", "muster", "--check=off",
                         "--prefix=none", "/usr/bin/python3", MEET, self.path("go"),
                         MEET_LIMIT_S=str(SCAN_S + harness.RUN_LIMIT_S))
        met = wait_until(lambda: re.search(r"met first (\S+) (\d+)", job.out) or
                         job.process.poll() is not None, "the workers' first meeting")
        self.assertNotEqual(met, True, job)
        return job, met.group(1), int(met.group(2))

    def listening_ports(self, agent):
        folder = f"/proc/{agent.pid}/fd"
        targets = [os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)
                   if os.path.lexists(f"{folder}/{fd}")]
        sockets = {target[8:-1] for target in targets if target.startswith("socket:[")}
        lines = [line.split() for table in ("tcp", "tcp6")
                 for line in harness.read_text(f"/proc/{agent.pid}/net/{table}").splitlines()[1:]]
        return {int(fields[1].rsplit(":", 1)[1], 16) for fields in lines
                if fields[3] == "0A" and fields[9] in sockets}

    def processor_seconds(self):
        """Of all agents and what they started but the workers, by node."""
        seconds = {}
        for process in self.processes():
            if not process.program.startswith("muster"):
                continue
            fields = harness.read_text(f"/proc/{process.pid}/stat").rpartition(")")[2].split()
            node = process.variables.get("SLURMD_NODENAME")
            spent = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            seconds[node] = seconds.get(node, 0) + spent
        return seconds

    def test_of_both_doors_costs_a_handful_of_lines_and_no_job(self):
        job, address, store = self.start_job()
        doors = {store} | set().union(*(self.listening_ports(agent)
                                        for agent in self.agents()["node1"]))
        self.assertGreaterEqual(len(doors), 2, doors)
        before = self.processor_seconds()
        scanners = [self.start("/usr/bin/python3", "-c", SCANNER, address, str(door), str(SCAN_S),
                               f"{host} {door}", host=host)
                    for door in sorted(doors) for host in ("node3", "login")]
        rounds = [int(run.finish(SCAN_S + harness.RUN_LIMIT_S).out.split()[1]) for run in scanners]
        self.assertGreater(min(rounds), 10, rounds)
        during = self.processor_seconds()
        time.sleep(WINDOW_S)  # what is measured, not a wait
        after = self.processor_seconds()
        share = max((after[node] - during[node]) / WINDOW_S for node in after)
        print(f"    {sum(rounds)} connections in {SCAN_S} s to ports {sorted(doors)} cost node1's"
              f" agents {during['node1'] - before['node1']:.2f} s of a core; afterwards the busiest"
              f" node's agents take {share:.2%} of a core (to reach: {REACH_SHARE:.0%})", flush=True)
        self.assertLess(share, ALLOWED_SHARE, "of a core, after the scan")
        open(self.path("go"), "w", encoding="utf-8").close()
        self.expect_code(job.finish(), 0)
        self.assertIn("met third", job.out, job)
        lines = job.muster_lines()
        print(f"    {len(lines)} lines:", *lines, sep="\n      ", flush=True)
        self.assertLessEqual(len(lines), 2 * LINES_OF_AN_ADDRESS, job)


if __name__ == "__main__":
    harness.main()
