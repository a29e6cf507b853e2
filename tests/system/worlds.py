"""Reads and judges what programs/print_world.sh printed: the world as its workers saw it."""
import ipaddress
import os
import re

from harness import PROGRAMS

PRINT_WORLD = os.path.join(PROGRAMS, "print_world.sh")


def read_workers(text):
    """One dict for each line of print_world.sh, with numbers as numbers, by rank."""
    workers = []
    for line in re.findall(r"world (rank=.*)", text):
        fields = dict(pair.split("=", 1) for pair in line.split())
        workers.append({name: int(value) if value.isdigit() else value
                        for name, value in fields.items()})
    return sorted(workers, key=lambda worker: worker["rank"])


def expect_world(test, run, places):
    """`places`: (host, workers on it), in node order. Each rank once, in node order; one numeric
    address of rank 0's host and one port for all; exit code 0."""
    test.expect_code(run, 0)
    workers = read_workers(run.out)
    size = sum(count for _, count in places)
    test.assertEqual([worker["rank"] for worker in workers], list(range(size)), run)
    expected = [(host, local, count, group)
                for group, (host, count) in enumerate(places) for local in range(count)]
    for worker, (host, local, count, group) in zip(workers, expected):
        test.assertEqual(
            (worker["host"], worker["local"], worker["locals"], worker["group"]),
            (host, local, count, group), run)
        test.assertEqual((worker["size"], worker["groups"]), (size, len(places)), run)
        # What other launchers' support reads: true of the worker, not of the agent.
        test.assertEqual((worker["procid"], worker["localid"], worker["ntasks"]),
                         (worker["rank"], local, size), run)
    addresses = {worker["master"] for worker in workers}
    test.assertEqual(len(addresses), 1, run)
    address = ipaddress.ip_address(addresses.pop())
    test.assertFalse(address.is_loopback and len(places) > 1, run)
    test.assertEqual(len({worker["port"] for worker in workers}), 1, run)
    return workers
