"""What the tests of the Python module share: processes that are members of a group on this machine.

MUSTER_RENDEZVOUS_LIBRARY and MUSTER_LIBEXEC_DIR come from CTest; MUSTER_TEST_PRELOAD too where the
library is built with a sanitizer, whose runtime must be loaded before all else.
"""
import os
import subprocess
import sys
import textwrap
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
LIMIT_S = 60


def clean_environment(**more):
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("SLURM", "MUSTER_GROUP_", "TORCHELASTIC_"))}
    kept.update(PYTHONPATH=os.path.join(ROOT, "rendezvous", "python"), PYTHONDONTWRITEBYTECODE="1",
                MUSTER_TOKEN="the token of the python tests")
    if os.environ.get("MUSTER_TEST_PRELOAD"):
        kept.update(LD_PRELOAD=os.environ["MUSTER_TEST_PRELOAD"], ASAN_OPTIONS="detect_leaks=0")
    return dict(kept, **more)


def step_environment(job, task, tasks):
    """What Slurm would set for that task of a step on this machine. Task 0 is not the first of the
    node: the order of ranks must come from SLURM_PROCID."""
    return clean_environment(
        SLURM_JOB_ID=str(job), SLURM_STEP_ID="0", SLURM_STEP_NODELIST="localhost",
        SLURM_STEP_TASKS_PER_NODE=str(tasks), SLURM_NODEID="0", SLURM_PROCID=str(task),
        SLURM_LOCALID=str((task + 1) % tasks), SLURMD_NODENAME="localhost")


class MembersTest(unittest.TestCase):
    last_job = os.getpid() * 100

    def start_members(self, size, program, python=sys.executable):
        """`size` processes that run the program as tasks of one step."""
        MembersTest.last_job += 1
        members = []
        for task in range(size):
            process = subprocess.Popen(
                [python, "-c", textwrap.dedent(program)], text=True, stdin=subprocess.DEVNULL,
                env=step_environment(MembersTest.last_job, task, size),
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.addCleanup(process.communicate)
            self.addCleanup(process.kill)
            members.append(process)
        return members

    def run_members(self, size, program, python=sys.executable):
        """Their stdouts; each must end well and in time."""
        members = self.start_members(size, program, python)
        results = [member.communicate(timeout=LIMIT_S) for member in members]
        for member, (_, errors) in zip(members, results):
            self.assertEqual(member.returncode, 0, errors)
        return [output for output, _ in results]
