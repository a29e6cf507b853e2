"""Knocks at a door that is not its own: stranger.py KIND HOST PORT.

Prints "at the door" once it has misbehaved for the first time; goes on until it is killed or its
time is over."""
import random
import select
import socket
import sys
import time

LIMIT_S = 30
CROWD = 300


def connect(where):
    return socket.create_connection(where, timeout=5)


def write_random(where):
    with connect(where) as door:
        door.sendall(random.Random(1).randbytes(100_000))


def ask_http(where):
    with connect(where) as door:
        door.sendall(b"GET / HTTP/1.1\r\nHost: node1\r\n\r\n")
        door.recv(1000)


def stay_silent(where, doors):
    doors.append(connect(where))


def be_slow(where, doors):
    if not doors:
        doors.append(connect(where))
    select.select([], doors, [], 1)
    doors[0].send(b"\0")


def come_as_a_crowd(where, doors):
    doors.extend(connect(where) for _ in range(CROWD))
    for door in doors[::3]:
        door.send(b"\0\0\0\4abcd")


def main():
    kind, host, port = sys.argv[1:]
    where = (host, int(port))
    doors = []
    act = {
        "random": lambda: write_random(where),
        "http": lambda: ask_http(where),
        "silent": lambda: stay_silent(where, doors),
        "slow": lambda: be_slow(where, doors),
        "crowd": lambda: come_as_a_crowd(where, doors),
    }[kind]
    end = time.monotonic() + LIMIT_S
    told = False
    while time.monotonic() < end:
        try:
            act()
        except OSError:  # it was shown the door
            for door in doors:
                door.close()
            doors.clear()
        if not told:
            print("at the door", flush=True)
            told = True
        time.sleep(0.1)  # its pace, not a wait


main()
