"""init_process_group(init_method="muster://") as tasks of one step on this machine. Exits 77 where
no python3 has PyTorch."""
import os
import shutil
import subprocess
import sys
import time
import unittest

from python_members import LIMIT_S, MembersTest, clean_environment

SETUP = """
import datetime, os, sys, time
import muster_rendezvous
import torch
import torch.distributed as dist
muster_rendezvous.register_torch()
muster_rendezvous.register_torch()  # twice does no harm
limit = datetime.timedelta(seconds=30)
"""


def find_python():
    for name in (os.environ.get("PYTHON_EXEC"), "python3", "/usr/bin/python3"):
        path = name and shutil.which(name)
        if path and not subprocess.run([path, "-c", "import torch"], capture_output=True).returncode:
            return path
    return None


class TorchRendezvous(MembersTest):
    def test_ranks_are_those_of_slurm_and_a_second_group_works(self):
        outputs = self.run_members(3, SETUP + """
for attempt in range(2):
    dist.init_process_group("gloo", init_method="muster://", timeout=limit)
    assert dist.get_rank() == int(os.environ["SLURM_PROCID"]) and dist.get_world_size() == 3
    total = torch.tensor([float(dist.get_rank())])
    dist.all_reduce(total)
    print(attempt, total.item())
    dist.destroy_process_group()
""", PYTHON)
        self.assertEqual(outputs, ["0 3.0\n1 3.0\n"] * 3)

    def test_a_killed_member_ends_the_others_in_time(self):
        members = self.start_members(3, SETUP + """
dist.init_process_group("gloo", init_method="muster://", timeout=limit)
dist.barrier()
print("ready", flush=True)
if dist.get_rank() == 2:
    time.sleep(60)  # is killed here
dist.barrier()
""", PYTHON)
        for member in members:
            self.assertEqual(member.stdout.readline(), "ready\n")
        killed = time.monotonic()
        members[2].kill()
        for member in members[:2]:
            _, errors = member.communicate(timeout=LIMIT_S)
            self.assertNotEqual(member.returncode, 0)
            self.assertIn("Error", errors)
        self.assertLess(time.monotonic() - killed, 15)

    def test_another_world_size_is_refused(self):
        members = self.start_members(1, SETUP + """
dist.init_process_group("gloo", init_method="muster://", world_size=2, rank=0, timeout=limit)
""", PYTHON)
        _, errors = members[0].communicate(timeout=LIMIT_S)
        self.assertIn("was given world_size=2, but it is 1 in the group", errors)

    def test_missing_members_are_named_at_the_timeout(self):
        program = SETUP + """
dist.init_process_group("gloo", init_method="muster://", timeout=datetime.timedelta(seconds=1))
"""
        members = self.start_members(2, "import os\nif os.environ['SLURM_PROCID'] == '0': os._exit(0)\n"
                                     + program, PYTHON)
        _, errors = members[1].communicate(timeout=LIMIT_S)
        self.assertRegex(errors, "MusterError: join: .*localhost")

    def test_a_pytorch_without_libuv_gets_its_other_store(self):
        outputs = self.run_members(2, SETUP + """
real = dist.TCPStore
def without_libuv(*arguments, use_libuv=True, **more):
    if use_libuv:
        raise RuntimeError("use_libuv was requested but PyTorch was built without libuv support")
    return real(*arguments, **more)
dist.TCPStore = without_libuv
dist.init_process_group("gloo", init_method="muster://", timeout=limit)
dist.barrier()
print("met")
""", PYTHON)
        self.assertEqual(outputs, ["met\n"] * 2)

    def test_a_store_that_cannot_be_opened_fails_all_at_once(self):
        members = self.start_members(2, SETUP + """
def broken(*arguments, **more):
    raise RuntimeError("no more ports")
dist.TCPStore = broken
dist.init_process_group("gloo", init_method="muster://", timeout=limit)
""", PYTHON)
        errors = [member.communicate(timeout=LIMIT_S)[1] for member in members]
        self.assertIn("RuntimeError: no more ports", errors[0])
        self.assertIn("MusterError: rank 0 could not open the store: no more ports", errors[1])

    def test_a_store_that_a_launcher_serves_is_used(self):
        """As under `srun muster`: the launcher's store, rank and size."""
        done = subprocess.run([PYTHON, "-c", SETUP + """
server = dist.TCPStore("127.0.0.1", 0, 1, True, limit, wait_for_workers=False)
os.environ.update(RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(server.port),
                  TORCHELASTIC_RESTART_COUNT="0", TORCHELASTIC_USE_AGENT_STORE="True")
dist.init_process_group("gloo", init_method="muster://", timeout=limit)
print(dist.get_world_size(), muster_rendezvous._torch_group)
"""], env=clean_environment(), capture_output=True, text=True, timeout=LIMIT_S, check=False)
        self.assertEqual(done.stdout, "1 None\n", done.stderr)


PYTHON = find_python()

if __name__ == "__main__":
    if not PYTHON:
        print("skipped: no python3 here has PyTorch")
        sys.exit(77)
    unittest.main(verbosity=2)
