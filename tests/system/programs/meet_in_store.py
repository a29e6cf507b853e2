"""A worker that meets the others in the store as PyTorch 1.13 speaks to it, without PyTorch:
meet_in_store.py FILE [LAST]. All ranks meet, wait until the file is there, and meet again; then
come as new clients and meet a third time. With LAST, rank 0 leaves then, the others wait until that
file is there and meet once more. One rank prints each meeting and where it is."""
import os
import socket
import struct
import sys
import time

LIMIT_S = int(os.environ.get("MEET_LIMIT_S", "25"))
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
where = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
end = time.monotonic() + LIMIT_S


def wait_for(holds, what):
    while not holds():
        if time.monotonic() > end:
            sys.exit(f"rank {rank}: not in time: {what}")
        time.sleep(0.02)


def add(store, key, number):
    name = key.encode()
    store.sendall(struct.pack("=BQ", 3, len(name)) + name + struct.pack("=q", number))
    answer = b""
    while len(answer) < 8:
        more = store.recv(8 - len(answer))
        if not more:
            sys.exit(f"rank {rank}: the store closed the connection")
        answer += more
    return struct.unpack("=q", answer)[0]


def meet(store, name, ranks=range(size)):
    add(store, name, 1)
    wait_for(lambda: add(store, name, 0) == len(ranks), name)
    if rank == ranks[0]:
        print("met", name, *where, flush=True)


with socket.create_connection(where, timeout=LIMIT_S) as first:
    meet(first, "first")
    wait_for(lambda: os.path.exists(sys.argv[1]), "the file")
    meet(first, "second")
with socket.create_connection(where, timeout=LIMIT_S) as again:
    meet(again, "third")
    if len(sys.argv) > 2 and rank != 0:
        wait_for(lambda: os.path.exists(sys.argv[2]), "the last file")
        meet(again, "last", range(1, size))
