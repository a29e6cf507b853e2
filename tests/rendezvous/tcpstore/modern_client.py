"""A client of PyTorch's store protocol as torch 2.2 and later speak it, in plain Python.

It stands in for such a torch where none is installed: the same calls, the same bytes, the same
behaviour at a timeout (CANCEL_WAIT). STORE.md describes the protocol.
"""
import os
import select
import socket
import struct
import threading
import time

MAGIC = 0x3C85F7CE
(VALIDATE, SET, COMPARE_SET, GET, ADD, CHECK, WAIT, GETNUMKEYS, DELETE_KEY, APPEND, MULTI_GET,
 MULTI_SET, CANCEL_WAIT, PING, QUEUE_PUSH, QUEUE_POP, QUEUE_LEN, LIST_KEYS, BARRIER) = range(19)
STOP_WAITING, WAIT_CANCELED = 0, 1
READY = 0
REPLY_S = 30  # for replies that a server gives at once


class StoreError(RuntimeError):
    """As torch's DistStoreError: a timeout, or a connection that has ended."""


def as_bytes(value):
    return value.encode() if isinstance(value, str) else bytes(value)


def text(value):
    value = as_bytes(value)
    return struct.pack("<Q", len(value)) + value


def number(value):
    return struct.pack("<q", value)


def request(opcode, *parts):
    return bytes([opcode]) + b"".join(parts)


def hello(nonce):
    """The first bytes of every client since torch 2.5."""
    return request(VALIDATE, struct.pack("<I", MAGIC)) + request(PING, struct.pack("<I", nonce))


class RawClient:
    """A connection: bytes out, exact counts of bytes in, each with a deadline."""

    def __init__(self, port, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), REPLY_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, size, seconds=REPLY_S):
        """None when nothing at all has come after `seconds`."""
        data = bytearray()
        until = time.monotonic() + seconds
        while len(data) < size:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                if data:
                    raise StoreError(f"{len(data)} of {size} bytes after {seconds} s")
                return None
            try:
                part = self.socket.recv(size - len(data))
            except ConnectionError as error:
                raise StoreError(f"the server has closed the connection: {error}") from None
            if not part:
                raise StoreError("the server has closed the connection")
            data += part
        return bytes(data)

    def close(self):
        self.socket.close()

    def __del__(self):  # as a torch store closes when it is dropped
        if hasattr(self, "socket"):
            self.socket.close()


class ModernStore:
    """torch.distributed.TCPStore with is_master=False."""

    def __init__(self, port, world_size=None, timeout=REPLY_S):
        self.port, self.timeout = port, timeout
        self.lock = threading.Lock()
        self.raw = RawClient(port)
        self.raw.send(hello(os.getpid()))
        if self.take(4) != struct.pack("<I", os.getpid()):
            raise StoreError("PING is answered with another number")
        if world_size is not None:
            self.call(request(ADD, text("init/"), number(1)), 8)

    def close(self):
        self.raw.close()

    @staticmethod
    def key(name):
        return text("/" + name)

    def keys(self, names):
        return struct.pack("<Q", len(names)) + b"".join(self.key(name) for name in names)

    def take(self, size):
        data = self.raw.receive(size)
        if data is None:
            raise StoreError(f"no reply after {REPLY_S} s")
        return data

    def take_number(self):
        return struct.unpack("<q", self.take(8))[0]

    def take_text(self):
        return self.take(self.take_number())

    def call(self, data, size):
        with self.lock:
            self.raw.send(data)
            return self.take(size)

    def call_number(self, data):
        return struct.unpack("<q", self.call(data, 8))[0]

    def await_stop(self, data, seconds, what):
        """WAIT or BARRIER: ends with STOP_WAITING, or with a timeout that leaves no byte behind."""
        self.raw.send(data)
        reply = self.raw.receive(1, seconds)
        if reply is None:
            self.raw.send(request(CANCEL_WAIT))
            reply = self.take(1)
            if reply[0] == STOP_WAITING:  # the two have crossed
                if self.take(1)[0] != WAIT_CANCELED:
                    raise StoreError("CANCEL_WAIT is not answered with WAIT_CANCELED")
                return
            raise StoreError(f"wait timeout after {int(seconds * 1000)}ms, {what}")
        if reply[0] != STOP_WAITING:
            raise StoreError(f"WAIT is answered with {reply[0]}")

    def wait_locked(self, names, seconds):
        self.await_stop(request(WAIT, self.keys(names)), seconds, f"keys: {names}")

    def seconds(self, timeout):
        if timeout is None:
            return self.timeout
        return timeout.total_seconds() if hasattr(timeout, "total_seconds") else timeout

    def set_timeout(self, timeout):
        self.timeout = self.seconds(timeout)

    def set(self, name, value):
        with self.lock:
            self.raw.send(request(SET, self.key(name), text(value)))

    def compare_set(self, name, expected, desired):
        with self.lock:
            self.raw.send(request(COMPARE_SET, self.key(name), text(expected), text(desired)))
            return self.take_text()

    def get(self, name):
        with self.lock:
            self.wait_locked([name], self.timeout)
            self.raw.send(request(GET, self.key(name)))
            return self.take_text()

    def add(self, name, delta):
        return self.call_number(request(ADD, self.key(name), number(delta)))

    def check(self, names):
        return self.call(request(CHECK, self.keys(names)), 1)[0] == READY

    def wait(self, names, timeout=None):
        with self.lock:
            self.wait_locked(names, self.seconds(timeout))

    def cancel_wait(self):
        """Without a wait; its one reply."""
        return self.call(request(CANCEL_WAIT), 1)[0]

    def num_keys(self):
        return self.call_number(request(GETNUMKEYS))

    def delete_key(self, name):
        return self.call_number(request(DELETE_KEY, self.key(name))) == 1

    def append(self, name, value):
        with self.lock:
            self.raw.send(request(APPEND, self.key(name), text(value)))

    def multi_get(self, names):
        with self.lock:
            self.wait_locked(names, self.timeout)
            self.raw.send(request(MULTI_GET, self.keys(names)))
            return [self.take_text() for _ in names]

    def multi_set(self, names, values):
        pairs = b"".join(self.key(name) + text(value) for name, value in zip(names, values))
        with self.lock:
            self.raw.send(request(MULTI_SET, number(len(names)), pairs))

    def queue_push(self, name, value):
        with self.lock:
            self.raw.send(request(QUEUE_PUSH, self.key(name), text(value)))

    def queue_pop(self, name, block=True):
        with self.lock:
            if block:
                self.wait_locked([name], self.timeout)
            self.raw.send(request(QUEUE_POP, self.key(name)))
            if self.take_number() == 0:
                raise StoreError(f"queue {name} is empty")
            return self.take_text()

    def queue_len(self, name):
        return self.call_number(request(QUEUE_LEN, self.key(name)))

    def list_keys(self):
        with self.lock:
            self.raw.send(request(LIST_KEYS))
            names = [self.take_text().decode() for _ in range(self.take_number())]
        return [name[1:] for name in names if name.startswith("/")]

    def barrier(self, name, world_size, timeout=None):
        with self.lock:
            self.await_stop(request(BARRIER, self.key(name), number(world_size)),
                            self.seconds(timeout), f"barrier: {name}")

    def clone(self):
        return ModernStore(self.port, timeout=self.timeout)
