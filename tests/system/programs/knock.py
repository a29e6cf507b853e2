#!/usr/bin/env python3
"""Connects, asks the store for a number as PyTorch 1.13 would, and says how it was answered.

    knock.py HOST PORT
"""
import socket
import struct
import sys

with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=15) as door:
    answer, more = b"", b"?"
    try:
        door.sendall(struct.pack("=BQ", 3, 6) + b"stolen" + struct.pack("=q", 1))
        while more and answer[1:] != bytes(7):  # a number below 256 is the store's answer
            more = door.recv(100)
            answer += more
    except ConnectionError:
        more = b""
print("served" if more else "shown out", flush=True)
