"""What muster promises of each fault of chaos_faults.py: how soon the job ends, with which exit
codes, and whom a line names. Each number stands with its source."""
import re
import signal

GRACE_S = 2  # --stop-grace of every round
ASSEMBLE_S = 8  # --assemble-deadline, and 5 s more for those who ask a coordinator that is gone
CHECK_DEADLINE_S = 5  # --check-deadline
LOAD_S = 10  # a loaded machine of two cores, as in harness.py

# launcher/README.md, "What stands still" and "The end of a job"; constants' names are the code's.
ASK_S = 5
LOOK_S = 20  # kLookDeadline
GANG_S = CHECK_DEADLINE_S + 5 + 4 + 2  # kDeadlineMargin, kStopPatience, kClosingPatience
SEARCH_S = CHECK_DEADLINE_S  # once more, for the search for culprits
START_S = 20  # kStartPatience
STORE_S = 10  # kStorePatience
SWEEP_S = 6
KILL_S = 5  # kKillPatience: until a process that SIGKILL does not end is given up
CLOSING_S = 2  # kClosingPatience, of all who can answer
LATE_S = 10  # kClosingLimit: more for an agent that cannot
DRAIN_S = 5
LOST_S = 10  # DESIGN.md: a silent node is lost
SILENCE_S = 26  # a coordinator that stands still before the workers run
LEASE_S = 30  # failures_test.py: until the workers of a node that is cut off are gone
SLURM_S = 30  # slurm/local: until slurmctld says that a crashed node is DOWN

END_S = GRACE_S + SWEEP_S + DRAIN_S + CLOSING_S  # from an order to stop to the last agent's exit
MEET_S = ASSEMBLE_S + ASK_S
GATHER_S = {False: MEET_S + STORE_S + START_S,
            True: MEET_S + LOOK_S + GANG_S + SEARCH_S + GANG_S + STORE_S + START_S}
# Of a process that is dead, not mute, its connections tell at once, once there are any.
DEAD_EARLY_S = {False: MEET_S, True: MEET_S + GANG_S + SEARCH_S}

LOST, MISSING, REFUSED, UNFIT, NOT_MEASURED, INTERNAL = 85, 81, 82, 83, 84, 86
OURS = {MISSING, REFUSED, UNFIT, NOT_MEASURED, LOST, INTERNAL}
TERM, KILL, INT = (128 + number for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT))
CODE = {"kill": KILL, "segv": 128 + signal.SIGSEGV, "abrt": 128 + signal.SIGABRT, "term": TERM}
MEASURED = {UNFIT, NOT_MEASURED}


class Promise:
    """`codes` beside 0, which is right whenever every rank has finished its work; `must_name`:
    where the code is not 0, a line names one of the hosts. Without codes the job must succeed."""

    def __init__(self, codes, seconds, must_name=False):
        self.codes = set(codes)
        self.seconds = seconds
        self.must_name = must_name



def of_process(name, kind, fault, has_check):
    before = 0 if fault.begun else DEAD_EARLY_S[has_check]
    if kind == "worker":
        # "A worker's death by signal N becomes 128+N", of which SIGTERM alone is no crash.
        return Promise({CODE[name]}, END_S, must_name=True)
    if kind == "child":
        return Promise(set(), 0)  # of a worker; the program decides what it means
    if kind == "agent":
        # srun returns the highest code of its tasks: the killed one's own, beside the others'.
        if name == "term":  # a cancel, wherever it comes from
            return Promise({TERM, *OURS}, before + END_S)
        return Promise({CODE[name], *OURS}, before + END_S, must_name=True)
    if kind == "bench":
        return Promise(MEASURED, before + END_S, must_name=True)
    if kind == "identity":
        return Promise({MISSING, REFUSED, LOST, INTERNAL}, before + END_S, must_name=True)
    if kind == "srun":  # the job may run to its end; after SIGTERM srun itself kills the tasks
        return Promise({CODE[name], *({KILL, *OURS} if name == "term" else ())}, before + END_S)
    if kind == "guardian" and name == "term":  # it stands for the workers that Slurm signals
        return Promise({TERM}, before + END_S)
    return Promise(set(), DRAIN_S + SWEEP_S)  # guardian, writer, look, sweeper


def of_still(kind, fault, has_check):
    """What stops for good. Of a worker or an agent that stops after the start nothing is promised
    but that a cancel ends the job, which the round sends then."""
    before = 0 if fault.begun else GATHER_S[has_check]
    if kind == "child":
        return Promise(set(), 0)
    if kind == "worker":
        return Promise({TERM, KILL, *({LOST} if not fault.begun else ())}, before + END_S + KILL_S)
    if kind == "agent":
        return Promise({TERM, KILL, *OURS}, before + SILENCE_S + END_S + LATE_S,
                       must_name=not fault.begun)
    if kind == "bench":
        return Promise(MEASURED, before + END_S, must_name=True)
    if kind == "identity":
        return Promise({MISSING, REFUSED, LOST, INTERNAL}, before + END_S, must_name=True)
    return Promise(set(), LOOK_S + 2 * SWEEP_S + 2 * DRAIN_S)


def of_pause(kind, fault, has_check):
    """What goes on after a while: at most 12 s, which a worker may take to start, and running
    workers wait for no agent. Before they run, other things have deadlines of less."""
    promise = of_still(kind, fault, has_check)
    if kind in ("worker", "child") or fault.begun or fault.pause < 6 and kind == "agent":
        promise.codes = set()
    promise.seconds += fault.pause
    return promise


def of(fault, has_check):
    name, _, kind = fault.kind.partition(" ")
    before = 0 if fault.begun else GATHER_S[has_check]
    if name in CODE:
        return of_process(name, kind, fault, has_check)
    if name == "stop":
        return of_still(kind, fault, has_check)
    if name == "pause":
        return of_pause(kind, fault, has_check)
    if name == "garbage":
        # libfabric's own ports know no stranger: noise there may end a measurement.
        return Promise(MEASURED if kind == "agent bench" else set(), 0)
    if name in ("blink", "freeze"):  # at most 4 s: not even silent, but TCP may take as long again
        return Promise(set() if fault.begun else {MISSING, *MEASURED},
                       before + 2 * fault.pause + LATE_S, must_name=True)
    if name in ("cut", "crash"):
        # The node's own agent ends by itself, is killed by Slurm, or is gone with the node.
        wait = {"cut": LEASE_S, "crash": SLURM_S}[name]
        return Promise({TERM, KILL, *OURS}, before + wait + SILENCE_S + END_S + LATE_S,
                       must_name=True)
    # A cancel. KILL leaves no time for a word; srun itself ends with 1 where it had no step yet.
    codes = {TERM, KILL, INT, 1, *OURS}
    return Promise(codes, 5 + END_S)


# The check's time of 5 s, on two busy cores. Only a job with spares searches where nothing is wrong.
TIME_OVER = "muster: check: its time is over (--check-deadline)"
# srun could not start all tasks, or lost a node's output and killed the step: then the code is its
# own, whatever the tasks returned.
SLURM_GAVE_UP = re.compile("Application launch failed|aborted before step completely launched"
                           "|step_launch_notify_io_failure")
OURS_BROKEN = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|MUSTER_CHECK|check failed:"
                         r"|terminate called|Assertion|stack smashing|double free|corrupted")


def names(text, hosts):
    """A line of muster names one of these hosts, in whatever way it writes hosts."""
    for line in text.splitlines():
        if not line.startswith("muster: "):
            continue
        for host in hosts:
            if re.search(rf"\b{host}\b", line) or f"10.77.0.{host.removeprefix('node')}" in line:
                return True
            listed = re.search(r"node\[([\d,-]+)\]", line)
            if listed and int(host.removeprefix("node")) in _expand(listed.group(1)):
                return True
    return False


def _expand(text):
    numbers = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        numbers |= set(range(int(first), int(last or first) + 1))
    return numbers
