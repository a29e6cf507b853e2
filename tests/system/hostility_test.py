"""Every port that a job listens on is scanned from other nodes, in each of its phases: noise, known
protocols, lengths that no message has, half-open connections, bytes one by one. The job goes on and
ends well, its agents rest afterwards, and the log gets a handful of lines.

hostility_test.py [SECONDS]: how long the scan of running workers lasts (default 5; the issue's
minute is 60)."""
import os
import re
import sys
import time

import harness
from harness import ClusterTest, wait_until

SCAN_S = int(sys.argv.pop(1)) if sys.argv[1:2] and sys.argv[1].isdigit() else 5
EARLY_SCAN_S = 4  # of the phases that end by themselves
WINDOW_S = 5  # of the measurement after the scan
REACH_SHARE = 0.01  # of a core: what the issue asks for; it is printed
ALLOWED_SHARE = 0.03  # what a loaded machine may add
LINES_OF_AN_ADDRESS = 14  # two doors: two lines each, then one a power of ten
OUR_PORTS = range(12000, 32768)  # the kernel chooses among those above
MEET = f"{harness.PROGRAMS}/meet_in_store.py"
SCANNER = f"{harness.PROGRAMS}/scan_ports.py"
STRANGERS = ("node3", "login")
UNFIT, NOT_MEASURED = 83, 84
DEADLINE_S = 20  # --check-deadline


class HostilityTest(ClusterTest):
    settings = {"GPUS": 0}

    def doors(self, program):
        """ADDRESS:PORT of all that processes of that program listen on, on whatever node."""
        found = set()
        for process in self.processes(program):
            host = process.variables.get("SLURMD_NODENAME", "")
            self.assertEqual(process.ports("udp"), set(), process)
            found |= {f"10.77.0.{host.removeprefix('node')}:{port}" for port in process.ports()}
        return found

    def await_doors(self, program, run, are_they=lambda port: port in OUR_PORTS):
        def look():
            if run.process.poll() is not None:
                return "over"
            return {door for door in self.doors(program) if are_they(int(door.rsplit(":", 1)[1]))}

        doors = wait_until(look, f"a port of {program}")
        self.assertNotEqual(doors, "over", run)
        return sorted(doors)

    def scan(self, seconds, doors):
        return [self.start("/usr/bin/python3", SCANNER, f"{host} {number}", str(seconds), door,
                           host=host)
                for number, door in enumerate(doors) for host in STRANGERS]

    def await_scan(self, seconds, scanners):
        counts = [int(run.finish(seconds + harness.RUN_LIMIT_S).out.split()[1]) for run in scanners]
        self.assertGreater(min(counts), 10, "connections of each scanner")
        return sum(counts)


class WhileItGathers(HostilityTest):
    def test_the_agents_door(self):
        late = f"[ $SLURM_NODEID = 2 ] && sleep {EARLY_SCAN_S + 1}; exec muster --check=off true"
        job = self.start("srun", "-N4", "--ntasks-per-node=2", "sh", "-c", late)
        doors = self.await_doors("muster", job)
        self.await_scan(EARLY_SCAN_S, self.scan(EARLY_SCAN_S, doors))
        self.expect_code(job.finish(), 0)

    def test_the_door_of_programs_without_a_launcher(self):
        exchange = os.path.join(harness.BIN, "exchange")
        late = f"[ $SLURM_NODEID = 2 ] && sleep {EARLY_SCAN_S + 1}; exec {exchange}"
        job = self.start("srun", "-N4", "--ntasks-per-node=2", "sh", "-c", late)
        doors = self.await_doors("muster-rendezvous", job)  # rank 0's helper, which serves
        self.await_scan(EARLY_SCAN_S, self.scan(EARLY_SCAN_S, doors))
        self.expect_code(job.finish(), 0)
        self.assertEqual(len(re.findall(r"^rank \d of 8 on", job.out, re.M)), 8, job)


class WhileItMeasures(HostilityTest):
    """The check gang's own meeting is the coordinator's, its data goes through libfabric's ports."""

    def slow_links(self):
        self.cluster.order("slow", "all", "100mbit")
        self.addCleanup(self.cluster.order, "slow", "all", "off")

    def start_check(self):
        self.slow_links()
        return self.start("srun", "-N4", "--ntasks-per-node=1", "muster", "--check=fabric",
                          "--check-sizes=4M", f"--check-deadline={DEADLINE_S}", "--stop-grace=2",
                          "true")

    def test_the_doors_of_the_rounds(self):
        job = self.start_check()
        self.await_doors("muster-bench", job, lambda port: True)
        doors = self.await_doors("muster", job)
        self.assertGreaterEqual(len(doors), 2, "the agents' and a group's")
        self.await_scan(EARLY_SCAN_S, self.scan(EARLY_SCAN_S, doors))
        self.expect_code(job.finish(), 0)
        self.assertRegex(job.err, "muster: check: verdict: ", job)

    def test_the_ports_of_libfabric(self):
        # It knows no stranger; what it makes of noise ends the measurement at worst.
        job = self.start_check()
        doors = self.await_doors("muster-bench", job, lambda port: True)
        since = time.monotonic()
        scanners = self.scan(EARLY_SCAN_S, doors)
        job.finish(2 * DEADLINE_S + harness.RUN_LIMIT_S)
        self.await_scan(EARLY_SCAN_S, scanners)
        print(f"    code {job.code} after {time.monotonic() - since:.1f} s", flush=True)
        self.assertIn(job.code, (0, UNFIT, NOT_MEASURED), job)
        if job.code != 0:
            self.assertRegex(job.err, r"muster: check: .*node\d", job)
        self.expect_no_crash()

    def test_a_bench_alone(self):
        self.slow_links()
        job = self.start("srun", "-N4", "--ntasks-per-node=1", "muster-bench", "all_reduce",
                         "--backend", "fabric", "-b", "4M", "-n", "5", "--deadline", "60")
        doors = self.await_doors("muster-rendezvous", job)
        self.await_scan(EARLY_SCAN_S, self.scan(EARLY_SCAN_S, doors))
        self.expect_code(job.finish(60), 0)
        self.assertIn("# Out of bounds values : 0 OK", job.out, job)


class WhileWorkersRun(HostilityTest):
    def start_job(self):
        job = self.start("srun", "-N4", "--ntasks-per-node=2", "muster", "--check=off",
                         "--nproc-per-node=2", "--prefix=none", "/usr/bin/python3", MEET,
                         self.path("go"), MEET_LIMIT_S=str(SCAN_S + harness.RUN_LIMIT_S))
        met = wait_until(lambda: re.search(r"met first (\S+) (\d+)", job.out) or
                         job.process.poll() is not None, "the workers' first meeting")
        self.assertNotEqual(met, True, job)
        return job, f"{met.group(1)}:{met.group(2)}"

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

    def test_both_doors_cost_a_handful_of_lines_and_no_job(self):
        job, store = self.start_job()
        doors = self.await_doors("muster", job)
        self.assertIn(store, doors)
        self.assertEqual(len(doors), 2, doors)
        before = self.processor_seconds()
        count = self.await_scan(SCAN_S, self.scan(SCAN_S, doors))
        during = self.processor_seconds()
        time.sleep(WINDOW_S)  # what is measured, not a wait
        after = self.processor_seconds()
        share = max((after[node] - during[node]) / WINDOW_S for node in after)
        print(f"    {count} connections in {SCAN_S} s to {doors} cost node1's"
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
