"""A fresh `muster-rendezvous store` for one test, and a Python that has torch.

MUSTER_BIN_DIR names the folder of the programs.
"""
import os
import random
import select
import socket
import subprocess
import sys
import tempfile

BIN = os.environ.get("MUSTER_BIN_DIR", "build/dev/bin")
START_S = 20
DEADLINE_S = 60  # of everything that a test waits for


def free_pair_of_ports():
    """The first of two neighbours, outside the range from which the kernel gives ports away."""
    for port in random.sample(range(12000, 20000, 2), 100):
        try:
            with socket.create_server(("", port)), socket.create_server(("", port + 1)):
                return port
        except OSError:
            continue
    raise RuntimeError("no two free ports in 12000-19999")


class StoreProcess:
    """The server, on a port of its own. close() fails when it has died or a sanitizer spoke."""

    def __init__(self, admission="uid", next_port_free=False):
        self.errors = tempfile.TemporaryFile()  # a pipe that nobody reads would stop the server
        self.child = subprocess.Popen(
            [os.path.join(BIN, "muster-rendezvous"), "store", "--admission", admission,
             "--port", str(free_pair_of_ports()) if next_port_free else "0"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
        )
        ready, _, _ = select.select([self.child.stdout], [], [], START_S)
        words = self.child.stdout.readline().split() if ready else []
        if len(words) != 2 or words[0] != b"port":
            self.child.kill()
            self.child.communicate()
            raise RuntimeError(f"no store: {self.take_errors()}")
        self.port = int(words[1])

    def take_errors(self):
        self.errors.seek(0)
        with self.errors:
            return self.errors.read().decode(errors="replace")

    def close(self):
        """Ends the server; gives what it wrote to standard error."""
        died = self.child.poll()
        self.child.terminate()
        try:
            self.child.communicate(timeout=START_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.communicate()
            raise RuntimeError(f"the store did not end at SIGTERM: {self.take_errors()}") from None
        errors = self.take_errors()
        if died is not None or "Sanitizer" in errors or "runtime error" in errors:
            raise RuntimeError(f"the store died in the test, exit code {died}: {errors}")
        return errors


def python_with_torch():
    """This Python where it has torch, else another one; None where there is none."""
    for name in (sys.executable, os.environ.get("PYTHON_EXEC"), "python3", "/usr/bin/python3"):
        try:
            if name and not subprocess.run([name, "-c", "import torch.distributed"],
                                           capture_output=True, timeout=DEADLINE_S).returncode:
                return name
        except OSError:
            continue
    return None
