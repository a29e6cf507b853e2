"""All ranks meet at MASTER_ADDR:MASTER_PORT, as a training program's would: rank 0 listens there,
the others connect to it from their nodes and say who they are. Rank 0 prints who came. Where an
agent serves the store on that port, they meet on the next one, which is kept free for programs."""
import os
import socket
import sys
import time

LIMIT_S = 20
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
port += os.environ["TORCHELASTIC_USE_AGENT_STORE"] == "True"


def connect(deadline):
    while True:  # rank 0 may be a little later than we
        try:
            return socket.create_connection((address, port), timeout=LIMIT_S)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                sys.exit(f"nobody listens on {address} port {port}")
            time.sleep(0.02)


if rank == 0:
    # As PyTorch's store: on all addresses, of both families where the machine has both.
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    came = []
    with socket.create_server(("", port), family=family, backlog=size, dualstack_ipv6=both) as door:
        door.settimeout(LIMIT_S)
        while len(came) < size - 1:
            visitor, where = door.accept()
            with visitor:
                came.append(int(visitor.recv(16)))
    print("met", *sorted(came), flush=True)
else:
    with connect(time.monotonic() + LIMIT_S) as road:
        road.sendall(str(rank).encode())
