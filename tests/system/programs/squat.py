"""Listens on ports that are another's: squat.py FIRST-LAST READY-FILE. Answers every visitor with a
line of a protocol of its own, until it is killed or its time is over."""
import select
import socket
import sys
import time

LIMIT_S = 30
first, last = map(int, sys.argv[1].split("-"))
doors = [socket.create_server(("", port)) for port in range(first, last + 1)]
open(sys.argv[2], "w", encoding="utf-8").close()
end = time.monotonic() + LIMIT_S
while time.monotonic() < end:
    for door in select.select(doors, [], [], 1)[0]:
        visitor, _ = door.accept()
        visitor.sendall(b"220 mail.example.com ESMTP\r\n")
