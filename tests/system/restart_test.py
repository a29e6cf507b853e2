"""--max-restarts: after a failure all workers start anew, in the same allocation."""
import os
import re
import signal
import time

import harness
from harness import ClusterTest, ZOO, wait_until

GRACE_S = 3
KILLED = 128 + signal.SIGKILL


def restarts(run):
    return [line for line in run.muster_lines() if re.match(r"muster: restart \d", line)]


class Restarts(ClusterTest):
    def muster(self, *program, srun=("-N4",), options=(), **more):
        return self.start("srun", *srun, "muster", "--check=off", f"--stop-grace={GRACE_S}",
                          *options, *program, **more)

    def test_all_workers_start_anew_with_the_next_number(self):
        script = (f'{ZOO} tell-pid {self.path("pids")}; echo "attempt $TORCHELASTIC_RESTART_COUNT of'
                  ' $TORCHELASTIC_MAX_RESTARTS rank $RANK of $WORLD_SIZE";'
                  ' if [ "$TORCHELASTIC_RESTART_COUNT" -lt 2 ]; then'
                  f' [ "$RANK" = 5 ] && exit 7; exec {ZOO} wait; fi')
        for srun in (("-N4", "--ntasks-per-node=1"), ("-N4", "--ntasks-per-node=8")):
            with self.subTest(srun=srun):
                run = self.muster("sh", "-c", script, srun=srun,
                                  options=("--nproc-per-node=8", "--max-restarts=3")).finish()
                self.expect_code(run, 0)
                self.assertEqual(restarts(run), [
                    f"muster: restart {n} of 3: all 32 workers start anew" for n in (1, 2)], run)
                for attempt in range(2):
                    self.assertIn(f"attempt {attempt} of 3 rank 5 of 32", run.out, run)
                last = re.findall(r"attempt 2 of 3 rank (\d+) of 32", run.out)
                self.assertEqual(sorted(map(int, last)), list(range(32)), run)
                self.assertEqual(run.err.count("rank 5 (node1, local rank 5) failed first: exit code 7"),
                                 2, run)
                self.expect_nothing_left()

    def test_the_last_failure_is_the_jobs(self):
        run = self.muster("sh", "-c", 'exit $((3 + TORCHELASTIC_RESTART_COUNT))',
                          options=("--nproc-per-node=2", "--max-restarts=2")).finish()
        self.expect_code(run, 5)
        self.assertIn("muster: not restarted: all 2 restarts are used (--max-restarts)", run.err)
        self.expect_nothing_left()

    def test_the_store_of_every_attempt_is_empty(self):
        """Ranks that found what the attempt before left would never be as many as they expect."""
        script = (f"/usr/bin/python3 {harness.PROGRAMS}/meet_in_store.py /dev/null"
                  ' && [ "$TORCHELASTIC_RESTART_COUNT" = 1 ]')
        for options, ports in ((("--master-port=29411",), 1), ((), 2)):
            with self.subTest(options=options):
                run = self.muster("sh", "-c", script, options=(
                    "--max-restarts=1", "--nproc-per-node=2", *options)).finish()
                self.expect_code(run, 0)
                self.assertEqual(len(restarts(run)), 1, run)
                met = re.findall(r"met first \S+ (\d+)", run.out)
                self.assertEqual((len(met), len(set(met))), (2, ports), run)

    def test_an_unchanged_pytorch_program_starts_anew(self):
        script = (f"/usr/bin/python3 {harness.PROGRAMS}/use_store.py env"
                  ' && [ "$RANK$TORCHELASTIC_RESTART_COUNT" != 10 ]')  # rank 1 fails once
        run = self.muster("sh", "-c", script, srun=("-N2",),
                          options=("--max-restarts=1", "--nproc-per-node=2")).finish()
        self.expect_code(run, 0)
        self.assertEqual(len(restarts(run)), 1, run)
        self.assertIn("done env True", run.out, run)

    def test_files_are_kept_apart_by_attempt(self):
        folder = self.path("logs")
        run = self.muster("sh", "-c", 'echo "attempt $TORCHELASTIC_RESTART_COUNT";'
                          ' exit $((1 - TORCHELASTIC_RESTART_COUNT))',
                          options=("--nproc-per-node=1", "--max-restarts=1", "--output=files",
                                   f"--log-dir={folder}")).finish()
        self.expect_code(run, 0)
        found = {}
        for path, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(path, name), encoding="utf-8") as file:
                    found.setdefault(file.read(), []).append(os.path.join(path, name))
        for attempt in (0, 1):
            files = found[f"attempt {attempt}\n"]
            self.assertTrue(all(f"/attempt_{attempt}/" in file for file in files), found)
        self.assertEqual(len(found["attempt 1\n"]), 4, found)

    def test_a_spare_takes_the_place_of_a_lost_agent(self):
        script = (f'{ZOO} tell-pid {self.path("pids")}; echo "attempt $TORCHELASTIC_RESTART_COUNT'
                  ' rank $RANK on $SLURMD_NODENAME"; if [ "$TORCHELASTIC_RESTART_COUNT" = 0 ]; then'
                  f' exec {ZOO} wait; fi')
        run = self.muster("sh", "-c", script,
                          options=("--nproc-per-node=2", "--max-restarts=1", "--spares=1"))
        self.await_lines("pids", 6)
        self.agents()["node2"][0].signal(signal.SIGKILL)
        run.finish()
        self.expect_code(run, KILLED)  # srun's, of the killed task
        self.assertRegex(run.err, r"muster: world: node\[1,3-4\]; out: node2", run)
        self.assertEqual(len(re.findall(r"attempt 1 rank \d on node[134]", run.out)), 6, run)
        self.expect_nothing_left()

    def test_a_node_that_is_cut_off_is_replaced(self):
        script = (f'{ZOO} tell-pid {self.path("pids")}; echo "attempt $TORCHELASTIC_RESTART_COUNT'
                  ' rank $RANK on $SLURMD_NODENAME"; if [ "$TORCHELASTIC_RESTART_COUNT" = 0 ]; then'
                  f' exec {ZOO} wait; fi')
        run = self.muster("sh", "-c", script, srun=("-N4", "--no-kill"),
                          options=("--nproc-per-node=2", "--max-restarts=1", "--spares=1"))
        self.await_lines("pids", 6)
        with self.cut_off("node3"):
            wait_until(lambda: len(re.findall(r"attempt 1 rank \d on node[124]", run.out)) == 6,
                       "six workers anew")
            wait_until(lambda: self.agents().keys() <= {"node3"}, "the others' end")
        run.finish()
        self.assertRegex(run.err, r"muster: world: node\[1-2,4\]; out: node3", run)

    def test_a_node_whose_console_takes_no_lines_is_not_left_out(self):
        """Its agent carries the output for a while after its workers were killed."""
        script = (f'[ "$TORCHELASTIC_RESTART_COUNT" = 1 ] && exit 0; echo >>{self.path("up")};'
                  ' if [ "$RANK" = 1 ]; then trap "" TERM; exec yes a long line of output; fi;'
                  f' [ "$RANK" = 0 ] || exec sleep 100; while [ ! -e {self.path("go")} ];'
                  ' do sleep 0.1; done; exit 3')
        run = self.muster("sh", "-c", script, options=("--nproc-per-node=1", "--max-restarts=1"))
        self.await_lines("up", 4)
        console = int(self.agents()["node2"][0].status("PPid"))  # slurmstepd
        os.kill(console, signal.SIGSTOP)
        try:
            time.sleep(1)  # until the pipe to it is full
            open(self.path("go"), "w", encoding="utf-8").close()
            wait_until(lambda: re.search(r"muster: (not )?restart", run.err), "what follows")
        finally:
            os.kill(console, signal.SIGCONT)
        self.expect_code(run.finish(), 0)
        self.assertEqual(restarts(run), ["muster: restart 1 of 1: all 4 workers start anew"], run)

    def test_a_cancel_ends_the_job_whatever_is_left(self):
        run = self.muster(ZOO, "tell-pid", self.path("pids"), "wait",
                          options=("--nproc-per-node=2", "--max-restarts=9"))
        self.await_lines("pids", 8)
        self.cluster.ask("scancel", "--signal=TERM", self.step_of())
        run.finish()
        self.assertEqual(restarts(run), [], run)
        self.expect_nothing_left()

    def test_a_program_that_is_not_there_is_not_tried_again(self):
        run = self.muster("/no/such/program", options=("--nproc-per-node=1", "--max-restarts=9"))
        run.finish()
        self.expect_code(run, 127)
        self.assertEqual(restarts(run), [], run)


if __name__ == "__main__":
    harness.main()
