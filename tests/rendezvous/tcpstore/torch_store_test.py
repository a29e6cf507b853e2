#!/usr/bin/env python3
"""PyTorch's own store tests, in our words, with an unmodified PyTorch against our server.

Runs with any torch from 1.11 on; what a torch lacks is skipped by name. Skipped as a whole where no
Python here has torch. modern_client_test.py runs the same cases without torch.
"""
import datetime
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from modern_client import ModernStore, hello  # noqa: E402
from store_process import DEADLINE_S, python_with_torch  # noqa: E402
from torch_semantics import LONG, SHORT, ServerCase, StoreSemantics  # noqa: E402

try:
    import torch
    import torch.distributed as dist
except ImportError:
    other = python_with_torch()
    if other is None:
        print("skipped: no Python with torch here")
        sys.exit(77)
    os.execv(other, [other, os.path.abspath(__file__), *sys.argv[1:]])

VERSION = tuple(int(part) for part in torch.__version__.split(".")[:2])
GENERATION = f"torch {torch.__version__}"
LIMIT = datetime.timedelta(seconds=30)
HAS_PING = VERSION >= (2, 5)
HAS_VALIDATE = VERSION >= (2, 2)


class TorchCase(ServerCase):
    generation = GENERATION
    cancels_waits = VERSION >= (2, 1)

    def client(self, world_size=None):
        # With a world size it adds itself to init/; only a store that serves would wait for the rest.
        size = {"wait_for_workers": False} if world_size is None else {"world_size": world_size}
        return dist.TCPStore("127.0.0.1", self.server.port, is_master=False, timeout=LIMIT, **size)


class TcpStore(StoreSemantics, TorchCase):
    pass


class TcpStoreOpenToAll(TorchCase):
    admission = "open"

    def test_a_store_that_asks_for_nobody_serves(self):
        store = self.client(world_size=1)
        store.set("key", "1")
        self.assertEqual(store.get("key"), b"1")


class PrefixedTcpStore(StoreSemantics, TorchCase):
    """The same behind a PrefixStore, whose API says less in old versions."""

    def client(self, world_size=None):
        return dist.PrefixStore("a/prefix", super().client(world_size))

    def test_prefixes_part_the_keys(self):
        base = super().client()
        one, two = dist.PrefixStore("one", base), dist.PrefixStore("two", base)
        nested = dist.PrefixStore("in", one)
        one.set("key", "1")
        two.set("key", "2")
        nested.set("key", "3")
        self.assertEqual([s.get("key") for s in (one, two, nested)], [b"1", b"2", b"3"])
        self.assertEqual(base.get("one/key"), b"1")
        self.assertEqual(base.get("one/in/key"), b"3")

    def test_list_of_keys(self):
        self.skipTest("PrefixStore and TCPStore differ in what list_keys shows; TcpStore tests it")


class Interrupted(TorchCase):
    def test_signals_do_not_break_a_wait(self):
        store, other = self.client(world_size=1), self.client()
        seen = []
        before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
        self.addCleanup(signal.signal, signal.SIGUSR1, before)
        main = threading.main_thread().ident
        stop = threading.Event()

        def disturb():
            for _ in range(10):
                signal.pthread_kill(main, signal.SIGUSR1)
                stop.wait(0.05)
            other.set("key", "1")

        thread = threading.Thread(target=disturb)
        thread.start()
        try:
            store.wait(["key"], LONG)
        finally:
            stop.set()
            thread.join(DEADLINE_S)
        self.assertEqual(store.get("key"), b"1")
        self.assertTrue(seen)


def first_bytes_of_client(size):
    """What a client process sends first, and its pid. The server takes so much and leaves. (Some
    versions hold Python's lock while they connect, so the client has a process of its own.)"""
    client = ("import datetime, sys, torch.distributed as dist\n"
              "dist.TCPStore('127.0.0.1', int(sys.argv[1]), 1, False, datetime.timedelta(seconds=2))")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE_S)
        port = str(listener.getsockname()[1])
        child = subprocess.Popen([sys.executable, "-c", client, port], stderr=subprocess.DEVNULL)
        try:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(DEADLINE_S)
                data = b""
                while len(data) < size:
                    part = connection.recv(size - len(data))
                    if not part:
                        break
                    data += part
        finally:
            child.kill()
            child.wait()
    return data, child.pid


class FirstBytes(unittest.TestCase):
    """Golden bytes: by them a server tells the eras apart."""

    def test_of_a_client_since_2_5(self):
        if not HAS_PING:
            self.skipTest(f"{GENERATION} sends no PING")
        data, pid = first_bytes_of_client(len(hello(0)))
        self.assertEqual(data, hello(pid))

    def test_of_a_client_of_2_2_to_2_4(self):
        if HAS_PING or not HAS_VALIDATE:
            self.skipTest(f"{GENERATION} is not of 2.2 to 2.4")
        self.assertEqual(first_bytes_of_client(5)[0], hello(0)[:5])

    def test_of_a_client_before_2_2(self):
        if HAS_VALIDATE:
            self.skipTest(f"{GENERATION} begins with VALIDATE")
        add_init = b"\x03" + struct.pack("<Q", 5) + b"init/" + struct.pack("<q", 1)
        self.assertEqual(first_bytes_of_client(len(add_init))[0], add_init)


class Agent(TorchCase):
    """One process in the environment of an agent's worker."""

    def environment(self, use_our_store):
        return mock.patch.dict(
            os.environ, RANK="0", WORLD_SIZE="1", MASTER_ADDR="localhost",
            MASTER_PORT=str(self.server.port), TORCHELASTIC_USE_AGENT_STORE=str(use_our_store),
            TORCHELASTIC_RESTART_COUNT="0")

    def test_a_master_on_our_port_cannot_bind(self):
        with self.environment(use_our_store=False):
            with self.assertRaisesRegex(RuntimeError, "failed to listen on any local"):
                dist.TCPStore("localhost", self.server.port, 1, True, LIMIT)

    def test_a_master_on_our_port_becomes_our_client(self):
        if VERSION < (2, 6):
            self.skipTest(f"{GENERATION} does not give way to an agent's store")
        with self.environment(use_our_store=True):
            store = dist.TCPStore("localhost", self.server.port, 1, True, LIMIT)
        self.assertEqual(store.port, self.server.port)
        store.set("key", "1")
        self.assertEqual(self.client().get("key"), b"1")

    def test_rendezvous(self):
        tcp = f"tcp://127.0.0.1:{self.server.port}?rank=0&world_size=1"
        urls = ["env://", tcp] + ([tcp + "&use_libuv=0"] if VERSION >= (2, 4) else [])
        for url in urls:
            with self.environment(use_our_store=True):
                store, rank, size = next(dist.rendezvous(url, timeout=LIMIT))
            self.assertEqual((rank, size), (0, 1))
            store.set(url, "1")
            self.assertEqual(store.get(url), b"1")
            store.set_timeout(SHORT)
            with self.assertRaisesRegex(RuntimeError, "(?i)timeout"):
                store.get(f"missing of {url}")
            if self.cancels_waits:
                self.assertEqual(store.get(url), b"1")


class BothErasTogether(TorchCase):
    def test_clients_of_both_generations_share_a_store(self):
        torch_client, modern = self.client(world_size=1), ModernStore(self.server.port)
        torch_client.set("from torch", "1")
        modern.set("from modern", "2")
        self.assertEqual(modern.get("from torch"), b"1")
        self.assertEqual(torch_client.get("from modern"), b"2")
        self.run_together(lambda: torch_client.wait(["late"], LONG),
                          lambda: modern.wait(["late"]),
                          lambda: ModernStore(self.server.port).set("late", "1"))
        self.assertEqual(torch_client.add("n", 1) + modern.add("n", 1), 3)


class Programs(TorchCase):
    """Whole programs of four workers, with the environment that a launcher gives them."""

    workers = 4
    next_port_free = True

    def run_program(self, program, use_our_store=True):
        began = time.monotonic()
        children = [self.start_worker(program, rank, use_our_store) for rank in range(self.workers)]
        outputs = []
        for child in children:
            left = max(1, began + 2 * DEADLINE_S - time.monotonic())
            try:
                outputs.append(child.communicate(timeout=left)[0])
            except subprocess.TimeoutExpired:
                child.kill()
                outputs.append("killed at the deadline: " + child.communicate()[0])
        return [child.returncode for child in children], outputs

    def start_worker(self, program, rank, use_our_store):
        environment = dict(
            os.environ, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(self.workers),
            MASTER_ADDR="127.0.0.1", MASTER_PORT=str(self.server.port), OMP_NUM_THREADS="1",
            TORCHELASTIC_RESTART_COUNT="0", TORCHELASTIC_RUN_ID="test",
            TORCHELASTIC_USE_AGENT_STORE=str(use_our_store), GLOO_SOCKET_IFNAME="lo")
        child = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "torch_worker.py"), program], env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.kill)
        return child

    def assert_runs(self, program):
        codes, outputs = self.run_program(program)
        self.assertEqual(codes, [0] * self.workers, "\n".join(outputs))
        for output in outputs:
            self.assertIn(f"{program} done", output)

    def test_the_environment_leads_to_our_store(self):
        self.assert_runs("env")

    def test_data_parallel_training(self):
        self.assert_runs("ddp")

    def test_init_method_tcp_on_our_port(self):
        self.assert_runs("tcp")

    def test_a_store_of_the_program_on_the_next_port(self):
        self.assert_runs("own_store_on_next_port")

    def test_our_store_and_one_of_the_program_on_the_next_port(self):
        self.assert_runs("env_and_own_store_on_next_port")

    def test_a_store_of_the_program_on_our_port(self):
        """Newer versions give way to the server that is there and become its client; older ones
        cannot bind, and rank 0 says so at once."""
        if VERSION >= (2, 6):
            self.assert_runs("own_store_on_port")
            return
        self.workers = 1
        codes, outputs = self.run_program("own_store_on_port")
        self.assertEqual(codes, [1], outputs[0])
        self.assertIn("already in use", outputs[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
