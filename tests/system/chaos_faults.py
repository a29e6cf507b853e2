"""The faults of a chaos round: how a target is found, what is done to it, and how it is undone."""
import os
import signal
import time

import harness
from harness import wait_until

# What the helpers of an agent call themselves (their `Name`, of which the kernel keeps 15 letters).
HELPERS = {
    "guardian": "muster-guardian",
    "bench": "muster-bench",
    "identity": "muster-rendezvous",
    "writer": "muster-writer",
    "look": "muster-look",
    "sweeper": "muster-sweeper",
}
KINDS_OF_PROCESS = ("worker", "child", "agent", *HELPERS, "srun")
APPEAR_S = 10  # a target that has not come by then does not come in this round
SOON_S = 0.7  # the same for those that live, if at all, before the workers
SIGNALS = {"KILL": signal.SIGKILL, "SEGV": signal.SIGSEGV, "ABRT": signal.SIGABRT,
           "TERM": signal.SIGTERM}

SCANNER = os.path.join(harness.PROGRAMS, "scan_ports.py")


class Target:
    """A process of the job, as it was found."""

    def __init__(self, process, kind):
        self.process = process
        self.kind = kind
        self.pid = process.pid
        self.host = process.variables.get("SLURMD_NODENAME", "")
        self.rank = process.variables.get("RANK", "")

    def __str__(self):
        rank = f" of rank {self.rank}" if self.rank else ""
        return f"{self.kind}{rank} on {self.host} (pid {self.pid})"


def kind_of(process):
    """One of KINDS_OF_PROCESS; nothing for what is between fork and exec. Slurm's own step daemon
    is no target: without it srun (22.05) waits for ever, whatever runs there."""
    name = process.status("Name")
    if name == "srun" and process.parent_name() != "srun":  # which has one child for its outputs
        return "srun"
    for kind, own_name in HELPERS.items():
        if name == own_name[:15]:
            return kind
    parent = process.parent_name()
    if name == "muster":
        return "agent" if parent == "slurmstepd" else None
    if not process.variables.get("RANK") or process.program.startswith("muster"):
        return None  # muster's until the exec
    is_toil = any(word.endswith("toil.py") for word in process.words)
    return "worker" if is_toil and parent == "muster" else "child"


def targets(mark):
    found = []
    for process in harness.find_processes(mark):
        kind = kind_of(process)
        if kind:
            found.append(Target(process, kind))
    return found


def await_target(job, kind, chance, host=None):
    """A process of that kind as soon as there is one; nothing where the job ends without it."""
    def look():
        if job.run.process.poll() is not None:
            return "over"
        return [t for t in targets(job.mark) if t.kind == kind and host in (None, t.host)]

    try:
        early = kind in ("child", "bench", "identity", "look", "writer")
        found = wait_until(look, kind, SOON_S if early else APPEAR_S)
    except AssertionError:
        return None
    if found == "over":
        return None
    return chance.choice(sorted(found, key=lambda target: target.pid))


class Fault:
    """What was done in a round. `what` says it in words; `hosts` are those a line should name."""

    def __init__(self, kind, what):
        self.kind = kind  # a key of chaos_contract
        self.what = what
        self.at = time.monotonic()
        self.hosts = set()
        self.target = None
        self.attempt = None  # of the worker that is the target
        self.stopped = None  # a process that stands still until it is killed
        self.begun = False  # all workers had started at that moment
        self.pause = 0  # seconds until it is undone

    def __str__(self):
        return self.what


def send_signal(job, name, chance, kind, host=None):
    """KILL, SEGV, ABRT, TERM; STOP, which stays; PAUSE, which goes on after a while."""
    target = await_target(job, kind, chance, host)
    if target is None:
        return None
    time.sleep(chance.choice((0, 0, chance.uniform(0, 0.05), chance.uniform(0, 0.5))))
    fault = Fault(f"{name.lower()} {kind}", f"{name} to {target}")
    fault.target, fault.hosts = target, {target.host} - {""}
    if kind == "worker":
        fault.attempt = int(target.process.variables.get("TORCHELASTIC_RESTART_COUNT", 0))
    fault.begun = job.all_started()
    try:
        if name in SIGNALS:
            os.kill(target.pid, SIGNALS[name])
            return fault
        os.kill(target.pid, signal.SIGSTOP)
        if kind == "agent":
            # It may have said that its workers run before they come to say so themselves.
            fault.begun = fault.begun or any(other.kind == "worker" and other.host == target.host
                                             for other in targets(job.mark))
        if name == "PAUSE":
            pause = chance.choice((0.2, 2, 7, 12))
            fault.what += f" for {pause} s"
            fault.pause = pause
            job.later(pause, lambda: _continue(target.pid))
        else:
            fault.stopped = target
    except ProcessLookupError:
        return None  # it had ended by itself
    return fault


class Point:
    """An agent kills itself before or after its n-th call, by fault_point.c: moments of
    microseconds that no signal from outside would meet."""

    def __init__(self, node, what):
        self.node, self.what = node, what


def choose_point(chance):
    """As many calls as the coordinator's agent makes in a short job, or another node's."""
    node = chance.choice((0, 0, 1, 2, 3))
    function = chance.choice(("sendmsg", "recv"))
    number = chance.randint(1, 40 if node == 0 else 10)
    when = "kill-after" if function == "recv" else chance.choice(("kill-before", "kill-after"))
    return Point(node, f"{function}:{number}:{when}")


def preload(job):
    if job.point is None:
        return []
    return ["env", f"LD_PRELOAD={os.path.join(harness.BIN, 'fault_point.so')}",
            f"MUSTER_FAULT={job.point.what}", f"MUSTER_FAULT_NODE={job.point.node}",
            f"MUSTER_FAULT_FILE={job.folder}/fault"]


def await_point(job):
    """Once it is reached; nothing where the job ends without it."""
    path = os.path.join(job.folder, "fault")
    wait_until(lambda: os.path.exists(path) or job.run.process.poll() is not None, "the point", 60)
    if not os.path.exists(path):
        return None
    host = f"node{job.point.node + 1}"
    fault = Fault("kill agent", f"KILL to an agent on {host} at {job.point.what}")
    fault.hosts, fault.begun = {host}, False
    return fault


def _continue(pid):
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass


def disturb_node(job, verb, chance):
    """cut, crash, or freeze of a node; some heal after a while, others only after the round."""
    host = f"node{chance.randint(1, job.nodes)}"
    if host in job.disturbed:
        return None
    fault = Fault(verb, f"{verb} {host}")
    fault.hosts, fault.begun = {host}, job.all_started()
    order, undo = {"cut": ("cut", "heal"), "blink": ("cut", "heal"), "crash": ("crash", "boot"),
                   "freeze": ("freeze", "thaw")}[verb]
    job.disturbed[host] = undo
    job.cluster.order(order, host)
    if verb in ("blink", "freeze"):
        pause = chance.choice((0.3, 2, 4))
        fault.what += f" for {pause} s"
        fault.pause = pause

        def heal():
            job.cluster.order(undo, host)
            job.disturbed.pop(host, None)

        job.later(pause, heal)
    return fault


def throw_garbage(job, chance, kinds):
    """At every port that processes of these kinds listen on, from two hosts, for two seconds."""
    def look():
        if job.run.process.poll() is not None:
            return "over"
        return [f"10.77.0.{target.host.removeprefix('node')}:{port}"
                for target in targets(job.mark) if target.kind in kinds
                for port in target.process.ports()]

    try:
        doors = wait_until(look, "a listening port", APPEAR_S)
    except AssertionError:
        return None
    if doors == "over":
        return None
    fault = Fault("garbage " + kinds[0], f"garbage to {' '.join(sorted(doors))}")
    fault.begun = job.all_started()
    for host in ("login", f"node{chance.randint(1, job.nodes)}"):
        words = ("/usr/bin/python3", SCANNER, str(chance.random()), "2", *doors)
        job.helpers.append(job.start_beside(host, words))
    return fault


def cancel(job, verb, chance):
    """scancel of the job or signals to its step; SIGINT to srun, once or twice."""
    fault = Fault(verb, verb)
    fault.begun = job.all_started()
    if verb.startswith("scancel"):
        step = job.step()
        if step is None:
            return None
        words = {"scancel": ("scancel", step.split(".")[0]),
                 "scancel step": ("scancel", step),
                 "scancel TERM": ("scancel", "--signal=TERM", step),
                 "scancel INT": ("scancel", "--signal=INT", step),
                 "scancel KILL": ("scancel", "--signal=KILL", step)}[verb]
        job.cluster.ask("sh", "-c", '"$@" || true', "sh", *words)
        return fault
    sruns = [p for p in harness.find_processes(job.mark)
             if p.program == "srun" and p.parent_name() != "srun"]
    if not sruns:
        return None
    for _ in range(2 if verb == "SIGINT twice to srun" else 1):
        try:
            sruns[0].signal(signal.SIGTERM if verb == "SIGTERM to srun" else signal.SIGINT)
        except ProcessLookupError:
            return None
        time.sleep(0.2)  # srun counts two within a second
    return fault


CANCELS = ("scancel", "scancel step", "scancel TERM", "scancel INT", "scancel KILL",
           "SIGINT to srun", "SIGINT twice to srun", "SIGTERM to srun")


GROUPS = {"process": 52, "garbage": 6, "cancel": 10, "pause": 10, "stop": 8, "node": 14}


def choose(chance, has_check, has_writer, left_out=()):
    """A function of the job that does one fault."""
    weights = {group: weight for group, weight in GROUPS.items() if group not in left_out}
    group = chance.choices(list(weights), list(weights.values()))[0]
    kinds = [kind for kind in KINDS_OF_PROCESS
             if (has_check or kind not in ("bench", "look")) and (has_writer or kind != "writer")]
    share = {"worker": 3, "agent": 5, "srun": 0.5}
    kind = chance.choices(kinds, [share.get(kind, 1) for kind in kinds])[0]
    if group == "process":
        name = chance.choices(list(SIGNALS), (6, 2, 2, 1))[0]
        return lambda job: send_signal(job, name, chance, kind)
    if group in ("pause", "stop"):
        while kind == "srun":  # what it does not read, its tasks wait to write
            kind = chance.choice(kinds)
        return lambda job: send_signal(job, group.upper(), chance, kind)
    if group == "garbage":
        kinds = chance.choice((("agent",), ("agent", "bench"))) if has_check else ("agent",)
        return lambda job: throw_garbage(job, chance, kinds)
    if group == "cancel":
        verb = chance.choice(CANCELS)
        return lambda job: cancel(job, verb, chance)
    verb = chance.choices(("blink", "freeze", "cut", "crash"), (4, 2, 2, 2))[0]
    return lambda job: disturb_node(job, verb, chance)
