"""What a PyTorch program does with its store: use_store.py HOW. Rank 0 prints `done HOW` at the end.

env    init_method env://, then barrier, objects and new groups
tcp    init_method tcp:// at MASTER_ADDR and MASTER_PORT
own    a store of the program's own on MASTER_PORT + 1, beside the launcher's
next   init_method tcp:// at MASTER_PORT + 1
"""
import os
import sys
from datetime import timedelta

import torch
import torch.distributed as dist

LIMIT = timedelta(seconds=120)
how = sys.argv[1]
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])


def begin():
    if how == "env":
        return dist.init_process_group("gloo", timeout=LIMIT)
    if how == "own":
        own = dist.TCPStore(address, port + 1, size, rank == 0, timeout=LIMIT)
        return dist.init_process_group("gloo", store=own, rank=rank, world_size=size, timeout=LIMIT)
    where = f"tcp://{address}:{port + (how == 'next')}"
    return dist.init_process_group("gloo", init_method=where, rank=rank, world_size=size,
                                   timeout=LIMIT)


def use():
    dist.barrier()
    everyone = [None] * size
    dist.all_gather_object(everyone, {"rank": rank})
    assert everyone == [{"rank": other} for other in range(size)], everyone
    objects = ["from rank 0" if rank == 0 else None]
    dist.broadcast_object_list(objects, src=0)
    assert objects == ["from rank 0"], objects
    groups = [dist.new_group(list(range(first, size, 2))) for first in (0, 1)]
    ones = torch.ones(1)
    dist.all_reduce(ones, group=groups[rank % 2])
    assert ones.item() == len(range(rank % 2, size, 2)), ones
    dist.barrier()


begin()
use()
dist.destroy_process_group()
if rank == 0:
    print("done", how, os.environ["TORCHELASTIC_USE_AGENT_STORE"], flush=True)
