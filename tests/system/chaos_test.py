#!/usr/bin/env python3
"""Random faults at random moments of real jobs; what must hold then stands in chaos_contract.py.

    chaos_test.py [--seed N] [--rounds N] [--minutes M] [--first N] [--leave-out GROUP]...

Round n of a seed is the same job with the same fault wherever it runs, up to the machine's own
timing: `--seed S --first N --rounds 1`, with the same groups of faults left out, repeats it. Nodes
that were cut off make most of the time: Slurm takes them back only after a while. It ends after so
many rounds or minutes, whichever comes first. A failing round prints all there is and the run goes
on; exit code 1 if there was one.
"""
import argparse
import collections
import os
import random
import re
import sys
import time
import traceback
import unittest

import chaos_contract
import chaos_faults
import harness
from chaos_job import Job, NODES
from harness import Cluster, wait_until

LEFT_S = 5  # kSweepLimit: a guardian's own search, after an agent that was killed
HEALTHY_S = 90  # until Slurm takes nodes back that were cut off
TOIL_FAILED = 7  # programs/toil.py
START_LIMIT_S = 15  # a step of twelve Python programs on two busy cores


class Round:
    def __init__(self, cluster, seed, number, left_out):
        self.seed, self.number, self.left_out = seed, number, left_out
        self.chance = random.Random(f"{seed}.{number}")
        self.job = Job(cluster, number, self.chance)
        self.faults, self.wrong = [], []
        self.took = 0.0

    def go(self):
        self.job.start(self.seed)
        for _ in range(self.chance.choice((1, 1, 1, 2, 2, 3))):
            self.strike()
        self.await_end()
        self.judge_end()
        self.clear()

    def strike(self):
        if self.job.point and not self.faults:
            fault = chaos_faults.await_point(self.job)
            if fault is not None:
                self.faults.append(fault)
            return
        act = self.choose()
        # By the clock, or as soon as something happens, or as soon as the target is there.
        when = self.chance.random()
        if self.faults:
            self.wait(self.chance.choice((0, self.chance.uniform(0, 1))))
        elif when < 0.35:
            self.wait(self.chance.uniform(0, 0.5 + self.job.seconds + self.job.has_check))
        elif when < 0.7:
            kind = self.chance.choice(("agent", "look", "bench", "worker", "sweeper", "sweeper"))
            chaos_faults.await_target(self.job, kind, self.chance)
            self.wait(self.chance.choice((0, self.chance.uniform(0, 0.2))))
        for _ in range(4):  # until there is a target
            if self.job.run.process.poll() is not None:
                return
            fault = act(self.job)
            if fault is not None:
                self.faults.append(fault)
                return
            act = self.choose()

    def choose(self):
        return chaos_faults.choose(self.chance, self.job.has_check, self.job.has_writer,
                                   self.left_out)

    def wait(self, seconds):
        harness.select.select([self.job.run._handle], [], [], seconds)

    # The end, as soon as it was promised.

    def promises(self):
        promises = [chaos_contract.of(fault, self.job.has_check) for fault in self.faults]
        for fault, promise in zip(self.faults, promises):
            if fault.attempt is not None and fault.attempt < self.job.attempt():
                promise.codes.clear()  # its attempt was followed by another: not the last cause
        return promises

    def bound(self):
        """From the last fault on: what the job itself still has to do, and what each fault adds."""
        once = START_LIMIT_S + self.job.seconds + chaos_contract.END_S
        own = once * (1 + self.job.restarts)
        own += chaos_contract.GANG_S if self.job.has_check else 0
        return own + sum(promise.seconds for promise in self.promises()) + chaos_contract.LOAD_S

    def stopped(self):
        return [fault for fault in self.faults if fault.stopped]

    def await_end(self):
        since = self.faults[-1].at if self.faults else self.job.run.started
        until = since + self.bound()
        seen = False  # a step may not have begun where a node is cut off
        if self.waits_for_user():
            self.wait(self.chance.uniform(0, 8))
            if self.job.run.process.poll() is None:
                self.faults.append(chaos_faults.cancel(self.job, "scancel", self.chance) or
                                   chaos_faults.Fault("scancel", "scancel of nothing"))
        while time.monotonic() < until and self.job.run.process.poll() is None:
            if self.stopped() or self.job.disturbed:
                others = bool(self.others())
                if seen and not others:
                    break
                seen = seen or others
            self.wait(0.1)
        self.took = time.monotonic() - since
        if time.monotonic() >= until and self.job.run.process.poll() is None and self.others():
            self.wrong.append(f"still running {self.took:.1f} s after the last fault, at most"
                              f" {self.bound():.0f} s were promised")
        self.release()
        self.finish_srun()

    def finish_srun(self):
        """Where a node was cut off before all tasks were launched, srun may wait for minutes,
        though every task that was launched has ended: then it is cancelled."""
        run = self.job.run
        try:
            run.finish(chaos_contract.SLURM_S + chaos_contract.LOAD_S)
        except AssertionError:
            self.job.cluster.ask("scancel", "--user=root", "--signal=KILL")
            self.wait(15)
            if not chaos_contract.SLURM_GAVE_UP.search(run.err):
                self.wrong.append("srun did not end, after all that stood still was released")
            for process in self.left():
                process.signal(harness.signal.SIGKILL)
            run.finish(5)

    def waits_for_user(self):
        """A worker that stands still, or an agent while the workers run, keeps a job waiting."""
        return any(fault.stopped and (fault.stopped.kind == "worker" or
                                      fault.stopped.kind == "agent" and fault.begun)
                   for fault in self.faults)

    def others(self):
        """Processes on nodes where nothing stands still by our hand."""
        hosts = {fault.stopped.host for fault in self.stopped() if fault.stopped.kind == "agent"}
        hosts |= set(self.job.disturbed)
        still = {fault.stopped.pid for fault in self.stopped()}
        return [process for process in self.job.living() if process.pid not in still
                and process.variables.get("SLURMD_NODENAME", "") not in hosts | {""}]

    def release(self):
        for fault in self.stopped():
            try:
                os.kill(fault.stopped.pid, harness.signal.SIGKILL)
            except ProcessLookupError:
                pass
        for timer in self.job.timers:
            timer.join()
        for host, undo in list(self.job.disturbed.items()):
            self.job.cluster.order(undo, host)

    # What must hold.

    def judge_end(self):
        run, promises = self.job.run, self.promises()
        if run.code < 0:  # srun itself was killed
            run.code = 128 - run.code
        self.wrong += self.job.troubles
        allowed = set().union(*(promise.codes for promise in promises))
        self.judge_restarts()
        if self.job.spares and chaos_contract.TIME_OVER in run.err:
            allowed.add(chaos_contract.NOT_MEASURED)
        if self.job.fails_at_last():
            allowed.add(TOIL_FAILED)
        if run.code == 0:
            last = self.job.attempt()
            missing = set(range(self.job.world())) - self.job.ranks("finished")
            if missing or not self.job.all_that_were_needed():
                self.wrong.append(f"exit code 0, but of a world of {self.job.world()} the ranks"
                                  f" {sorted(missing)} did not finish")
            elif not self.output_is_torn():
                silent = [rank for rank in range(self.job.world())
                          if f"rank {rank} has finished attempt {last}" not in run.out]
                if silent:
                    self.wrong.append(f"exit code 0, but ranks {silent} lack their last line")
        elif run.code not in allowed and not chaos_contract.SLURM_GAVE_UP.search(run.err):
            self.wrong.append(f"exit code {run.code}, promised are {sorted({0} | allowed)}")
        if run.code != 0 and not self.job.all_finished():
            # Whichever of several faults ended the job: a cancel among them has no host to name.
            hosts = set().union(*(fault.hosts for fault in self.faults))
            ending = [promise for promise in promises if promise.codes]
            must_name = ending and all(promise.must_name for promise in ending)
            if run.code == TOIL_FAILED:
                must_name = False
                if not re.search(r"muster: rank \d+ \(.*\) failed first: exit code 7", run.err):
                    self.wrong.append("no line says that exit code 7 failed first")
            must_name = must_name and not chaos_contract.SLURM_GAVE_UP.search(run.err)
            if must_name and not chaos_contract.names(run.err, hosts):
                self.wrong.append(f"no line names {' or '.join(sorted(hosts))}")
        for line in (run.err + run.out).splitlines():
            if chaos_contract.OURS_BROKEN.search(line):
                self.wrong.append(f"a line of something broken: {line}")
        self.expect_nothing_left()

    def judge_restarts(self):
        job = self.job
        told = [(int(number), int(limit)) for number, limit in
                re.findall(r"(?m)^muster: restart (\d+) of (\d+): ", job.run.err)]
        if told != [(number, job.restarts) for number in range(1, len(told) + 1)] \
                or len(told) > job.restarts:
            self.wrong.append(f"restarts {told} of {job.restarts}")
        if job.attempt() > len(told) and not self.output_is_torn():
            self.wrong.append(f"attempt {job.attempt()} after restarts {told}")
        free = self.unfenced()
        overlaps = [overlap for overlap in job.overlaps() if overlap[2] not in free]
        if overlaps:
            self.wrong.append("workers of an attempt lived on beside the next one's (attempt, next,"
                              f" host): {overlaps}")

    def unfenced(self):
        """Hosts whose workers nobody can end from afar: cut off, or the agent or the guardian that
        would end them stands still or is gone."""
        return set().union(*(fault.hosts for fault in self.faults if fault.kind.split()[-1] in
                             ("cut", "crash", "freeze", "blink", "guardian") or
                             fault.kind in ("stop agent", "pause agent")))

    def output_is_torn(self):
        return any(fault.kind.split()[-1] in ("agent", "writer", "freeze", "blink", "cut", "crash")
                   for fault in self.faults)

    def expect_nothing_left(self):
        # Without srun the job runs to the end that it has by itself.
        without_srun = any(fault.kind.endswith(" srun") for fault in self.faults)
        unguarded = self.unguarded()

        def guarded():
            return [process for process in self.left()
                    if process.variables.get("SLURMD_NODENAME") not in unguarded]

        try:
            wait_until(lambda: not guarded(), "", self.bound() if without_srun else LEFT_S)
        except AssertionError:
            self.wrong.append("processes left behind:\n  " + "\n  ".join(
                f"{process} [{process.status('State')}, {process.status('Name')}, on"
                f" {process.variables.get('SLURMD_NODENAME')}, parent {process.parent_name()}]"
                for process in guarded()))

    def unguarded(self):
        """Nodes that lost both their guardian and their agent. muster said of the first: "workers
        would outlive a SIGKILL of their agent"; Slurm's cgroups end them, not these trackers."""
        def hosts_of(kind):
            return set().union(*(fault.hosts for fault in self.faults
                                 if fault.kind.endswith(" " + kind)))

        return hosts_of("guardian") & hosts_of("agent")

    def left(self):
        mine = {helper.process.pid for helper in self.job.helpers}
        return [process for process in self.job.living()
                if process.pid not in mine and chaos_faults.SCANNER not in process.words]

    def clear(self):
        for process in self.left():
            try:
                process.signal(harness.signal.SIGKILL)
            except ProcessLookupError:
                pass
        for helper in self.job.helpers:
            helper.finish(30).close()
        self.job.run.close()
        queue = lambda: self.job.cluster.ask("squeue", "--noheader").strip()  # noqa: E731
        try:
            # slurmctld asks a node that was cut off again only after a while.
            wait_until(lambda: not queue(), "", HEALTHY_S if self.is_node_hit() else 10)
        except AssertionError:
            # Of an srun that is killed before its step was made the allocation stays.
            if not any(fault.kind.endswith(" srun") for fault in self.faults):
                self.wrong.append(f"still in the queue: {queue()}")
            self.job.cluster.ask("scancel", "--user=root", "--signal=KILL")
        wait_until(lambda: self.job.cluster.ask(
            "sinfo", "-h", "-t", "idle", "-o", "%D").strip() == str(NODES),
            "all nodes idle again", HEALTHY_S)

    def is_node_hit(self):
        return any(fault.kind in ("cut", "crash", "freeze", "blink") for fault in self.faults)

    def told(self):
        """What muster and Slurm said in full, and the end of what the workers printed."""
        run = self.job.run
        said = [line for line in run.err.splitlines()
                if not re.match(r"\[node|x*$", line) or "has finished" in line]
        printed = [line[:100] for line in run.out.splitlines()[-30:]]
        return "\n".join(["$ " + " ".join(run.words[3:]), f"exit code {run.code}", "--- stderr",
                          *said[-200:], "--- the last of stdout", *printed, "---"])

    def kind(self):
        return " + ".join(fault.kind for fault in self.faults) or "none"

    def __str__(self):
        job = self.job
        faults = "; ".join(f"at {fault.at - job.run.started:.2f} s {fault}"
                           f"{'' if fault.begun else ' (before all had started)'}"
                           for fault in self.faults) or "no fault"
        return (f"round {self.number}: check={job.has_check} writer={job.has_writer}"
                f" tasks={job.tasks} workers={job.per_node} life={job.seconds}"
                f" {' '.join(job.extra)}: {faults}:"
                f" code {job.run.code} of attempt {job.attempt()},"
                f" {self.took:.1f} s after the last fault")


class Chaos:
    def __init__(self, arguments):
        self.arguments = arguments
        self.cluster = None
        self.rounds, self.restarts, self.failed = 0, 0, []
        self.table = collections.defaultdict(list)

    def run(self):
        end = time.monotonic() + 60 * self.arguments.minutes
        first = self.arguments.first
        try:
            for number in range(first, first + self.arguments.rounds):
                if time.monotonic() > end:
                    break
                self.one_round(number)
        finally:
            if self.cluster is not None:
                self.cluster.down()
        self.print_table()
        return 1 if self.failed else 0

    def one_round(self, number):
        if self.cluster is None:
            tracker = ("linuxproc", "pgid")[self.arguments.seed % 2]
            self.cluster = Cluster(NODES, {"GPUS": 0, "SLURMD_TIMEOUT": 10, "PROCTRACK": tracker})
            self.cluster.up()
        one = Round(self.cluster, self.arguments.seed, number, self.arguments.leave_out)
        try:
            one.go()
        except Exception:  # the harness, or the cluster, is at its end: told, and made anew
            one.wrong.append(traceback.format_exc())
            self.cluster.down()
            self.cluster = None
        self.rounds += 1
        self.restarts += one.job.attempt()
        self.table[one.kind()].append(one.took)
        print(("FAILED " if one.wrong else "") + str(one), flush=True)
        if one.wrong:
            self.failed.append((number, one.kind(), one.wrong[0]))
            print(f"--- seed {self.arguments.seed}, round {number}:", *one.wrong, one.told(),
                  sep="\n", flush=True)

    def print_table(self):
        print(f"\nseed {self.arguments.seed}: {self.rounds} rounds, {self.restarts} restarts,"
              f" {len(self.failed)} failed")
        print(f"{'fault':40} {'rounds':>6} {'longest, s':>10}")
        for kind, times in sorted(self.table.items()):
            print(f"{kind:40} {len(times):6} {max(times):10.1f}")
        for number, kind, wrong in self.failed:
            print(f"FAILED round {number} ({kind}): {wrong.splitlines()[0]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--leave-out", action="append", default=[],
                        choices=sorted(chaos_faults.GROUPS))
    try:
        sys.exit(Chaos(parser.parse_args()).run())
    except unittest.SkipTest as reason:
        print(f"skipped: {reason}")
        sys.exit(harness.SKIPPED)


if __name__ == "__main__":
    main()
