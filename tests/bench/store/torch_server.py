#!/usr/bin/env python3
"""PyTorch's own store server, for store_bench.py: torch_server.py [libuv|legacy|default].

Prints "port N"; ends when standard input does.
"""
import datetime
import sys

import torch.distributed as dist


def main():
    backend = sys.argv[1] if len(sys.argv) > 1 else "default"
    choice = {} if backend == "default" else {"use_libuv": backend == "libuv"}
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False,
                          timeout=datetime.timedelta(seconds=60), **choice)
    print("port", store.port, flush=True)
    sys.stdin.read()


main()
