"""The job of one round of chaos_test.py: how it is started, and what its workers have told so far."""
import os
import re
import threading
import uuid

import chaos_contract
import chaos_faults
import harness
from harness import Run, wait_until

NODES = 4
TOIL = os.path.join(harness.PROGRAMS, "toil.py")


class Job:
    """One round's job, and what is done to it."""

    def __init__(self, cluster, number, chance):
        self.cluster, self.nodes, self.chance = cluster, NODES, chance
        self.mark = f"chaos-{uuid.uuid4().hex}"
        self.folder = os.path.join(cluster.directory, self.mark)
        os.makedirs(os.path.join(self.folder, "runs"))
        self.helpers, self.timers, self.disturbed, self.troubles = [], [], {}, []
        self.has_check = chance.random() < 0.5
        self.has_writer = chance.random() < 0.2
        self.seconds = chance.choice((0.3, 1, 2, 3))
        self.tasks = chance.choice((1, 1, 2))
        self.per_node = self.tasks * chance.choice((1, 2))
        self.extra, self.fails, self.restarts, self.spares = [], [], 0, 0
        self.choose_extra(chance)
        self.choose_restarts(chance)
        # Most points are met before the workers start, where nothing is started anew.
        share = 0.1 if self.restarts else 0.25
        self.point = chaos_faults.choose_point(chance) if chance.random() < share else None
        self.number = number

    def choose_extra(self, chance):
        """Of the launcher's ways that change what a lost node or a prewarm command means."""
        if chance.random() < 0.15:
            self.spares = 1
        elif chance.random() < 0.15:
            self.extra.append(f"--nnodes={NODES - 1}:{NODES}")
        if chance.random() < 0.15:
            self.extra.append("--prewarm=sleep 1; true")
        if chance.random() < 0.1:
            self.extra.append("--store=rank0")

    def choose_restarts(self, chance):
        """In two of five rounds; in half of these workers fail by themselves, now and then in more
        attempts than there are."""
        if chance.random() < 0.4:
            self.restarts = chance.choice((1, 1, 2, 3))
            self.extra.append(f"--max-restarts={self.restarts}")
            if not any(word.startswith("--nnodes") for word in self.extra):
                self.spares = chance.choice((0, 0, 1, 1, 2))
            if chance.random() < 0.5:
                world = (NODES - self.spares) * self.per_node
                self.fails = [f"{attempt}:{chance.randrange(world)}"
                              for attempt in range(chance.randint(1, self.restarts + 1))]
        if self.spares:
            self.extra.append(f"--spares={self.spares}")

    def start(self, seed):
        options = [f"--check={'fabric' if self.has_check else 'off'}",
                   f"--nproc-per-node={self.per_node}", f"--stop-grace={chaos_contract.GRACE_S}",
                   f"--assemble-deadline={chaos_contract.ASSEMBLE_S}"]
        if self.has_check:
            options += ["--check-sizes=64K",
                        f"--check-deadline={chaos_contract.CHECK_DEADLINE_S}"]
        if self.has_writer:
            options += ["--output=both", f"--log-dir={self.folder}/logs"]
        options += self.extra
        words = ["srun", f"-N{NODES}", f"--ntasks-per-node={self.tasks}", "--no-kill",
                 *chaos_faults.preload(self), "muster", *options, "--", "/usr/bin/python3",
                 "-S", "-E", TOIL, self.folder, f"{seed}.{self.number}", str(self.seconds),
                 ",".join(self.fails)]
        self.run = self.start_beside("login", words)

    def start_beside(self, host, words):
        environment = self.cluster.environment({harness.MARK: self.mark})
        return Run(self.cluster.words(host, words), environment, self.folder)

    def later(self, seconds, act):
        def guarded():
            try:
                act()
            except Exception as error:  # told with the round
                self.troubles.append(f"undoing a fault: {error}")

        timer = threading.Timer(seconds, guarded)
        self.timers.append(timer)
        timer.start()

    def lines(self, name):
        return [line.split() for line in
                harness.read_text(os.path.join(self.folder, name)).splitlines()]

    def attempt(self):
        """The last whose workers have begun; without restarts the only one."""
        return max((int(name.split(".")[1]) for name in os.listdir(self.folder)
                    if name.startswith("world.")), default=0)

    def ranks(self, name):
        return {int(line[0]) for line in self.lines(f"{name}.{self.attempt()}")}

    def world(self):
        """As the workers have it: spares and lost nodes are not of it. 0 before there are any."""
        return max(self.ranks("world"), default=0)

    def all_started(self):
        return 0 < self.world() == len(self.ranks("started"))

    def all_finished(self):
        return 0 < self.world() == len(self.ranks("finished"))

    def all_that_were_needed(self):
        fewer = self.spares or any(word.startswith("--nnodes") for word in self.extra)
        return self.world() >= (NODES - fewer) * self.per_node

    def fails_at_last(self):
        """The last attempt had a worker that failed by itself."""
        return any(fail.startswith(f"{self.attempt()}:") for fail in self.fails)

    def overlaps(self):
        """(attempt, later attempt, host) of workers that lived on beside later ones."""
        hosts = {}
        found = set()
        for before, after, rank in self.lines("overlap"):
            if before not in hosts:
                hosts[before] = {line[0]: line[1] for line in self.lines(f"started.{before}")}
            found.add((before, after, hosts[before].get(rank, "an unknown node")))
        return found

    def step(self):
        """JOB.STEP, or nothing where the job ends before it has one."""
        def look():
            if self.run.process.poll() is not None:
                return ["over"]
            text = self.cluster.ask("squeue", "--steps", "--noheader", "--format=%i")
            return re.findall(r"^\s*(\d+\.\d+)\s*$", text, re.M)

        try:
            step = wait_until(look, "a step")[0]
        except AssertionError:
            return None
        return None if step == "over" else step

    def living(self):
        return harness.find_processes(self.mark)
