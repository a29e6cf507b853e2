"""Signals under each of Slurm's process trackers: workers get each exactly once, a cancel is the
first cause, and nothing survives it."""
import os
import signal
import time

import harness
from harness import ClusterTest, ZOO, wait_until

GRACE_S = 3
CANCELLED = 128 + signal.SIGTERM


class SignalCases:
    """The cases; one class per tracker runs them on a cluster of its own."""

    def start_waiting(self, srun=("-N4", "--ntasks-per-node=8"), after=("wait",)):
        """32 workers that write what reaches them to signals.RANK."""
        script = (f'exec "{ZOO}" report-signals {self.folder}/signals.$RANK'
                  f' tell-pid {self.path("pids")} {" ".join(after)}')
        run = self.start("srun", *srun, "muster", "--check=off", "--nproc-per-node=8",
                         f"--stop-grace={GRACE_S}", "sh", "-c", script)
        self.await_lines("pids", 32)
        return run

    def signals(self):
        return [self.lines(f"signals.{rank}") for rank in range(32)]

    def cancel(self, *words):
        since = time.monotonic()
        self.cluster.ask("scancel", *words)
        return since

    def expect_cancelled(self, run, since):
        """The workers here survive SIGTERM, so the grace is used up."""
        run.finish()
        self.assertRegex(
            run.err, r"muster: SIGTERM on node\d: stopping 32 workers, SIGKILL after 3", run)
        self.expect_failure(run, CANCELLED, r"cancelled by SIGTERM", GRACE_S, since)

    def test_a_cancel_while_the_agents_gather_names_its_host(self):
        late = "[ $SLURM_NODEID = 2 ] && exec sleep 100; exec muster --check=off true"
        run = self.start("srun", "-N4", "--ntasks-per-node=1", "--kill-on-bad-exit=1", "sh", "-c",
                         late)
        wait_until(lambda: any(agent.ports() for agent in self.agents().get("node1", ())),
                   "the coordinator's door")
        self.agents()["node1"][0].signal(signal.SIGTERM)
        self.assertEqual(run.finish().code, CANCELLED, run)
        self.assertIn("muster: SIGTERM on node1 while the agents were gathering", run.err, run)
        self.expect_nothing_left()

    def test_usr1_reaches_every_worker_once_and_stops_nothing(self):
        for srun in (("-N4", "--ntasks-per-node=8"), ("-N4", "--ntasks-per-node=1")):
            with self.subTest(srun=srun):
                run = self.start_waiting(srun)
                step = self.step_of()
                for count in (1, 2):
                    self.cancel("--signal=USR1", step)
                    wait_until(lambda: all(len(seen) >= count for seen in self.signals()),
                               f"signal {count} at every worker")
                # A duplicate comes within the relay's window; USR2 after it shows that it is over.
                self.cancel("--signal=USR2", step)
                wait_until(lambda: all(len(seen) >= 3 for seen in self.signals()), "USR2")
                expected = ["signal 10", "signal 10", "signal 12"]
                self.assertEqual(self.signals(), [expected] * 32, run)
                self.assertEqual(len(self.lines("pids")), 32)
                self.assertIsNone(run.process.poll(), run)
                since = self.cancel(step.split(".")[0])
                self.expect_cancelled(run, since)
                for rank in range(32):
                    os.unlink(self.path(f"signals.{rank}"))
                os.unlink(self.path("pids"))

    def test_a_cancelled_job_is_the_first_cause(self):
        # These die of SIGTERM at once: victims, each of them.
        run = self.start("srun", "-N4", "--ntasks-per-node=1", "muster", "--check=off",
                         "--nproc-per-node=8", f"--stop-grace={GRACE_S}", ZOO, "tell-pid",
                         self.path("pids"), "daemon", self.path("daemons"), "wait")
        self.await_lines("pids", 32)
        self.await_lines("daemons", 32)
        since = self.cancel(self.step_of().split(".")[0])
        run.finish()
        self.expect_failure(run, CANCELLED, r"cancelled by SIGTERM", 0, since)

    def test_a_term_to_the_step_is_a_cancel(self):
        run = self.start_waiting(("-N4", "--ntasks-per-node=1"))
        since = self.cancel("--signal=TERM", self.step_of())
        self.expect_cancelled(run, since)
        # SIGTERM once, and Slurm's SIGCONT if it sent one.
        for seen in self.signals():
            self.assertEqual([line for line in seen if line == "signal 15"], ["signal 15"], run)

    def test_a_cancel_of_the_step_alone_leaves_nothing(self):
        run = self.start_waiting()
        self.cancel(self.step_of())
        run.finish()
        self.assertNotEqual(run.code, 0, run)
        self.expect_nothing_left()


class Linuxproc(SignalCases, ClusterTest):
    settings = {"PROCTRACK": "linuxproc"}

    def test_an_interrupt_stops_and_a_second_one_hurries(self):
        run = self.start_waiting(("-N4", "--ntasks-per-node=1"))
        step = self.step_of()
        since = self.cancel("--signal=INT", step)
        wait_until(lambda: all("signal 02" in seen for seen in self.signals()), "SIGINT everywhere")
        # Two that come within a moment are taken for one, so interrupt until it has an effect.
        wait_until(lambda: self.interrupt_once_more(run, step), "the end of the run")
        run.finish()
        self.assertLess(time.monotonic() - since, GRACE_S, run)
        self.expect_failure(run, 128 + signal.SIGINT, r"cancelled by SIGINT", 0, since)

    def interrupt_once_more(self, run, step):
        if run.process.poll() is not None:
            return True
        self.run_to_end("scancel", "--signal=INT", step)  # fails when the step is gone already
        return False


class Pgid(SignalCases, ClusterTest):
    settings = {"PROCTRACK": "pgid"}


class Cgroup(SignalCases, ClusterTest):
    settings = {"PROCTRACK": "cgroup"}


if __name__ == "__main__":
    harness.main()
