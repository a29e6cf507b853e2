"""What the system tests share: a real Slurm cluster on this machine, commands started in it, and a
look at every process of the machine.

A test file has one class per cluster configuration, derived from ClusterTest; the cluster lives as
long as the class. Every wait is for an event and has a deadline. After each test nothing that bears
the test's mark may run any more, whatever session, parent or environment it has.

MUSTER_BIN_DIR names the folder of the programs (default: build/release/bin). A file ends with
`harness.main()`: exit code 0 passed, 1 failed, 77 everything skipped, with the reason printed.
"""
import contextlib
import errno
import glob
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLUSTER = os.path.join(ROOT, "slurm", "local", "cluster")
PROGRAMS = os.path.join(ROOT, "tests", "system", "programs")
BIN = os.path.abspath(
    os.environ.get("MUSTER_BIN_DIR", os.path.join(ROOT, "build", "release", "bin"))
)
ZOO = os.path.join(BIN, "child_zoo")

MARK = "MUSTER_SYSTEM_TEST"  # in the environment, or the command line, of all that a test starts
DIRECTORY = "muster-system"  # /tmp/muster-system.PID.xxxx
RUN_LIMIT_S = 60  # no command of a test takes half of it, on an idle machine
CHECK_LIMIT_S = 180  # but a job whose check searches: twice --check-deadline, and the rest of it
EVENT_LIMIT_S = 60  # nothing a test waits for takes a third of it
NODES_LIMIT_S = 90  # but Slurm, which takes a node that was cut off back after a while only
LEFTOVER_LIMIT_S = 3  # from srun's end until the last process of the job is gone
# The bound on a failure is its grace + 2 s; a loaded machine of two cores gets this more.
BOUND_S = 2
LOAD_ALLOWANCE_S = 10
CANNOT_HERE = 3  # `cluster`: this machine or mode cannot do it
VERDICT = re.compile(r"failed first|could not start|cancelled by|was lost:")
SKIPPED = 77  # CTest's word, see muster_add_script_test


def wait_until(holds, what, limit=EVENT_LIMIT_S):
    """Calls `holds` until it gives something true, and gives it back."""
    deadline = time.monotonic() + limit
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit} s: {what}")
        time.sleep(0.01)


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):  # a process's file: it ended while we read
        return ""


# --- processes of the whole machine -------------------------------------------------------------


class Process:
    """One process, seen from outside all namespaces."""

    def __init__(self, pid, words, variables):
        self.pid = pid
        self.words = words
        self.variables = variables

    @property
    def program(self):
        return os.path.basename(self.words[0]) if self.words else ""

    def status(self, field):
        match = re.search(rf"^{field}:\s*(.*)$", read_text(f"/proc/{self.pid}/status"), re.M)
        return match.group(1) if match else ""

    def parent_name(self):
        return read_text(f"/proc/{self.status('PPid')}/comm").strip()

    def ports(self, protocol="tcp"):
        """Of all ports of its node those that it listens on; with "udp", those that it holds."""
        folder = f"/proc/{self.pid}/fd"
        try:
            links = [os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)]
        except OSError:
            return set()  # it ended, or closes one meanwhile
        sockets = {link[8:-1] for link in links if link.startswith("socket:[")}
        states = {"tcp": ("0A",), "udp": ("01", "07")}[protocol]
        lines = [line.split() for table in (protocol, f"{protocol}6")
                 for line in read_text(f"/proc/{self.pid}/net/{table}").splitlines()[1:]]
        return {int(fields[1].rsplit(":", 1)[1], 16) for fields in lines
                if fields[3] in states and fields[9] in sockets}

    def signal(self, number):
        os.kill(self.pid, number)

    def __str__(self):
        return f"{self.pid} {' '.join(self.words)[:120]}"


def read_process(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().decode(errors="replace").split("\0")[:-1]
        with open(f"/proc/{pid}/environ", "rb") as file:
            pairs = file.read().decode(errors="replace").split("\0")
    except OSError:
        return None  # it ended while we looked
    return Process(int(pid), words, dict(pair.split("=", 1) for pair in pairs if "=" in pair))


def find_processes(mark):
    """Those with the mark in their environment or, where they cleared it, in their command line.
    Zombies have neither."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        process = read_process(pid)
        if process is None or process.pid == os.getpid():
            continue
        if process.variables.get(MARK) == mark or any(mark in word for word in process.words):
            found.append(process)
    return found


# --- commands -----------------------------------------------------------------------------------


class Run:
    """A command under way, and what became of it. Its streams go to files, so that a process that
    it left behind with an open stdout keeps nobody waiting. It works in `folder`."""

    def __init__(self, words, environment, folder, stdin=subprocess.DEVNULL):
        self.words = words
        folder = os.path.join(folder, "runs")
        number = len(os.listdir(folder))
        self._out = os.path.join(folder, f"{number}.out")
        self._err = os.path.join(folder, f"{number}.err")
        self.code = None
        self.seconds = None
        self.started = time.monotonic()
        with open(self._out, "wb") as out, open(self._err, "wb") as err:
            self.process = subprocess.Popen(
                words, env=environment, stdin=stdin, stdout=out, stderr=err, start_new_session=True,
                cwd=os.path.dirname(folder)
            )
        # Popen.wait would look every 50 ms only.
        self._handle = os.pidfd_open(self.process.pid)

    @property
    def out(self):
        return read_text(self._out)

    @property
    def err(self):
        return read_text(self._err)

    def finish(self, limit=RUN_LIMIT_S):
        if not select.select([self._handle], [], [], limit)[0]:
            raise AssertionError(f"still running after {limit} s:\n{self}")
        self.seconds = time.monotonic() - self.started
        self.code = self.process.wait()
        return self

    def close(self):
        self.process.wait(timeout=EVENT_LIMIT_S)
        os.close(self._handle)

    def muster_lines(self):
        return [line for line in self.err.splitlines() if line.startswith("muster: ")]

    def verdict(self):
        """The line that names the first cause: the coordinator's last. srun merges the streams of
        the nodes without order, so another node's line may stand behind it."""
        lines = self.muster_lines()
        naming = [line for line in lines if VERDICT.search(line)]
        return (naming or lines or [""])[-1]

    def __str__(self):
        return (
            f"$ {' '.join(self.words)}\nexit code {self.code}\n"
            f"--- stdout\n{self.out[-3000:]}\n--- stderr\n{self.err[-5000:]}\n---"
        )


# --- the cluster --------------------------------------------------------------------------------


def clean_environment():
    """Of the caller's environment what a login shell has: no SLURM_, PET_ or CUDA_ variables."""
    kept = {name: os.environ[name] for name in ("HOME", "USER", "LOGNAME") if name in os.environ}
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return dict(kept, PATH=f"{BIN}:{path}", LANG="C.UTF-8")


def remove_abandoned_clusters():
    """Of tests that were killed: their directories bear the pid of a process that is gone."""
    for directory in glob.glob(f"/tmp/{DIRECTORY}.*"):
        if not os.path.exists(f"/proc/{directory.split('.')[1]}"):
            Cluster.remove(directory)


class Cluster:
    """slurm/local/cluster in a directory of its own."""

    def __init__(self, nodes, settings):
        remove_abandoned_clusters()
        self.directory = tempfile.mkdtemp(prefix=f"{DIRECTORY}.{os.getpid()}.", dir="/tmp")
        os.chmod(self.directory, 0o755)
        self.variables = {"MUSTER_CLUSTER_DIR": os.path.join(self.directory, "cluster"),
                          "MUSTER_CLUSTER_MODE": "namespaces"}
        self.variables.update({f"MUSTER_CLUSTER_{name}": str(value)
                               for name, value in settings.items()})
        self.nodes = nodes

    def up(self):
        done = self._call("up", str(self.nodes))
        if done.returncode == CANNOT_HERE:
            self.down()
            raise unittest.SkipTest(done.stderr.strip())
        if done.returncode != 0:
            raise AssertionError(f"cluster up: {done.stdout}{done.stderr}")

    def down(self):
        self.remove(self.directory)

    @staticmethod
    def remove(directory):
        variables = {"MUSTER_CLUSTER_DIR": os.path.join(directory, "cluster")}
        subprocess.run([CLUSTER, "down"], env=dict(clean_environment(), **variables),
                       capture_output=True, timeout=RUN_LIMIT_S, check=False)
        shutil.rmtree(directory, ignore_errors=True)

    def order(self, *words):
        """cut, heal, slow, crash, freeze ..."""
        done = self._call(*words)
        if done.returncode == CANNOT_HERE:
            raise unittest.SkipTest(done.stderr.strip())
        if done.returncode != 0:
            raise AssertionError(f"cluster {' '.join(words)}: {done.stderr}")

    def ask(self, *words):
        """stdout of a short command on the login node."""
        done = self._call("run", *words)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def words(self, host, words):
        return [CLUSTER, "exec", host, *words]

    def environment(self, more):
        return dict(clean_environment(), **self.variables, **more)

    def _call(self, *words):
        return subprocess.run([CLUSTER, *words], env=self.environment({}), capture_output=True,
                              text=True, timeout=RUN_LIMIT_S, stdin=subprocess.DEVNULL)


# --- tests --------------------------------------------------------------------------------------


class ClusterTest(unittest.TestCase):
    """Base of all: `self.cluster`, `self.mark`, `self.folder` (a directory that all nodes see)."""

    nodes = 4
    settings = {}  # MUSTER_CLUSTER_<name> at `up`
    links = None  # the rate of all links, where it is measured: such that they are the limit

    @classmethod
    def setUpClass(cls):
        if not os.access(os.path.join(BIN, "muster"), os.X_OK):
            raise AssertionError(f"no muster in {BIN}; build it, or set MUSTER_BIN_DIR")
        cls.cluster = Cluster(cls.nodes, cls.settings)
        cls.addClassCleanup(cls.cluster.down)
        cls.cluster.up()
        if cls.links:
            cls.cluster.order("slow", "all", cls.links)

    def setUp(self):
        self.mark = f"case-{uuid.uuid4().hex}"
        self.folder = os.path.join(self.cluster.directory, self.mark)
        os.makedirs(os.path.join(self.folder, "runs"))
        self.runs = []
        self.addCleanup(self._end_everything)
        self.await_all_nodes()

    def await_all_nodes(self):
        """Until Slurm would start a job on every node: what the test before did to one is over."""
        words = ("sinfo", "--noheader", "--states=idle", "--format=%D")
        wait_until(lambda: self.cluster.ask(*words).strip() == str(self.nodes),
                   f"{self.nodes} idle nodes", NODES_LIMIT_S)

    @contextlib.contextmanager
    def cut_off(self, node):
        """The node's link is down meanwhile. Slurm gives up a node after half a minute, or later, and
        srun may wait for that: so what a test expects of muster is awaited inside as an event, and
        srun's end behind it, when the node can be asked again."""
        self.cluster.order("cut", node)
        try:
            yield
        finally:
            self.cluster.order("heal", node)

    # Starting.

    def start(self, *words, host="login", stdin=subprocess.DEVNULL, **variables):
        """Starts a command on a host of the cluster; variables are added to its environment."""
        environment = self.cluster.environment(dict(variables, **{MARK: self.mark}))
        run = Run(self.cluster.words(host, words), environment, self.folder, stdin)
        self.runs.append(run)
        return run

    def run_to_end(self, *words, limit=RUN_LIMIT_S, **more):
        return self.start(*words, **more).finish(limit)

    def batch(self, script, *options, **variables):
        """Submits a batch script that ends by itself; gives the job's id. See await_job."""
        path = self.path("job.sh")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/bash\n" + script)
        words = ["sbatch", "--parsable", f"--output={self.path('batch.log')}", *options, path]
        submitted = self.run_to_end(*words, **variables)
        self.assertEqual(submitted.code, 0, submitted)
        return submitted.out.strip()

    def await_job(self, job, limit=RUN_LIMIT_S):
        wait_until(lambda: not self.cluster.ask("squeue", "-h", "-j", job).strip(),
                   f"the end of job {job}", limit)

    # Files that workers write.

    def path(self, name):
        return os.path.join(self.folder, name)

    def lines(self, name):
        return read_text(self.path(name)).splitlines()

    def await_lines(self, name, count, limit=EVENT_LIMIT_S):
        """Until `count` lines are in that file."""
        return wait_until(lambda: len(self.lines(name)) >= count and self.lines(name),
                          f"{count} lines in {name}, there are {len(self.lines(name))}", limit)

    def wake(self, fifo):
        """Lets the worker go on that awaits the fifo (child_zoo's await-fifo)."""

        def open_door():
            try:
                return os.open(self.path(fifo), os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                return None

        door = wait_until(open_door, f"a reader of {fifo}")
        os.write(door, b"go")
        os.close(door)

    # Processes.

    def processes(self, program=None):
        return [p for p in find_processes(self.mark) if program in (None, p.program)]

    def agents(self):
        """muster's agents by node: the processes that Slurm started, not their children."""
        by_node = {}
        for process in self.processes("muster"):
            if process.parent_name() == "slurmstepd":
                by_node.setdefault(process.variables.get("SLURMD_NODENAME"), []).append(process)
        return by_node

    def step_of(self):
        """The id JOB.STEP of this test's step, once it is there."""

        def steps():
            words = self.cluster.ask("squeue", "--steps", "--noheader", "--format=%i").split()
            return [word for word in words if re.fullmatch(r"\d+\.\d+", word)]

        return wait_until(steps, "a step in squeue")[0]

    # Expectations.

    def expect_code(self, run, code):
        self.assertEqual(run.code, code, run)

    def expect_verdict(self, run, pattern):
        self.assertRegex(run.verdict(), pattern, run)

    def expect_within(self, seconds, grace, run):
        """The issue's bound, with room for a loaded machine; the time itself is printed."""
        print(f"    {self._testMethodName}: {seconds:.2f} s, bound {grace + BOUND_S} s", flush=True)
        self.assertLess(seconds, grace + BOUND_S + LOAD_ALLOWANCE_S, run)

    def expect_nothing_left(self):
        remaining = []

        def nothing_runs():
            remaining[:] = map(str, self.processes())
            return not remaining

        try:
            wait_until(nothing_runs, "", LEFTOVER_LIMIT_S)
        except AssertionError:
            self.fail("processes left behind:\n  " + "\n  ".join(remaining))

    def expect_no_crash(self):
        """A crash leaves a core here, or the backtrace that a library of libfabric writes."""
        names = [name for name in os.listdir(self.folder) if re.search(r"^core|\.btr$", name)]
        texts = [read_text(self.path(name)) for name in names]
        self.assertEqual(names, [], "\n".join(texts))

    def expect_failure(self, run, code, verdict, grace=0, since=None):
        """What every failure case promises: code, verdict, time since the event, nothing left."""
        self.expect_code(run, code)
        self.expect_verdict(run, verdict)
        self.expect_within(time.monotonic() - (since or run.started), grace, run)
        self.expect_nothing_left()

    def _end_everything(self):
        """The end of each test: what is left is an error, named and removed."""
        left = []
        try:
            self.expect_nothing_left()
        except AssertionError as error:
            left.append(str(error))
            for process in self.processes():
                try:
                    process.signal(signal.SIGKILL)
                except ProcessLookupError:
                    pass
        if self.cluster.ask("squeue", "--noheader").strip():
            self.cluster.ask("scancel", "--user=root")
            self.cluster.ask("scancel", "--user=root", "--signal=KILL")
        wait_until(lambda: not self.cluster.ask("squeue", "--noheader").strip(), "an empty queue")
        for run in self.runs:
            run.close()
        if left:
            self.fail("\n".join(left + [str(run) for run in self.runs]))


def main():
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    # A class that is skipped as a whole counts none of its tests as run.
    skipped = [test for test, _ in result.skipped if isinstance(test, unittest.TestCase)]
    if result.wasSuccessful() and result.skipped and result.testsRun == len(skipped):
        for _, reason in result.skipped:
            print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    sys.exit(0 if result.wasSuccessful() else 1)
