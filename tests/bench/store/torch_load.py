#!/usr/bin/env python3
"""Real PyTorch clients as load: torch_load.py PORT PROCESSES THREADS SECONDS.

Each thread has a store of its own and sets, waits for and gets a 128-byte value in a closed loop;
every value is verified. Prints one line of JSON with set+wait+get (each counts) per second.
"""
import datetime
import json
import multiprocessing
import sys
import threading
import time

import torch.distributed as dist

LIMIT = datetime.timedelta(seconds=60)
OPERATIONS_PER_ROUND = 3  # get() sends WAIT and GET


def run_client(port, name, begin, seconds, rounds):
    store = dist.TCPStore("127.0.0.1", port, is_master=False, wait_for_workers=False, timeout=LIMIT)
    begin.wait(LIMIT.total_seconds())
    count = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = f"{count:0128d}"
        store.set(name, value)
        if store.get(name) != value.encode():
            raise RuntimeError(f"{name}: the store gave another value than was set")
        count += 1
    rounds.append(count)


def run_process(port, number, threads, begin, seconds, totals):
    rounds = []
    clients = [threading.Thread(target=run_client,
                                args=(port, f"client/{number}/{i}", begin, seconds, rounds))
               for i in range(threads)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    totals.put(sum(rounds) if len(rounds) == threads else None)


def main():
    port, processes, threads, seconds = (int(word) for word in sys.argv[1:])
    context = multiprocessing.get_context("fork")
    begin = context.Barrier(processes * threads)
    totals = context.Queue()
    children = [context.Process(target=run_process,
                                args=(port, i, threads, begin, seconds, totals))
                for i in range(processes)]
    for child in children:
        child.start()
    counts = [totals.get(timeout=seconds + 2 * LIMIT.total_seconds()) for _ in children]
    for child in children:
        child.join(LIMIT.total_seconds())
    if None in counts:
        sys.exit("torch_load: a client failed")
    print(json.dumps({"clients": processes * threads,
                      "ops_per_s": sum(counts) * OPERATIONS_PER_ROUND / seconds}))


main()
