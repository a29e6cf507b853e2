"""Times one TCP transfer between two nodes of the local cluster, for cluster_test.sh.

transfer.py serve           prints the port, receives until the peer closes, answers with one byte
transfer.py send HOST PORT BYTES   prints the seconds until that answer
"""
import socket
import sys
import time

DEADLINE_S = 30


def serve():
    with socket.create_server(("", 0)) as listener:
        listener.settimeout(DEADLINE_S)
        print(listener.getsockname()[1], flush=True)
        connection, _ = listener.accept()
        connection.settimeout(DEADLINE_S)
        while connection.recv(1 << 20):
            pass
        connection.sendall(b".")


def send(host, port, size):
    with socket.create_connection((host, port), DEADLINE_S) as connection:
        start = time.monotonic()
        connection.sendall(bytes(size))
        connection.shutdown(socket.SHUT_WR)
        if connection.recv(1) != b".":
            sys.exit("transfer.py: the server closed before it had all")
        print(f"{time.monotonic() - start:.3f}")


if sys.argv[1] == "serve":
    serve()
else:
    send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
