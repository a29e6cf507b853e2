"""One of several workers of a PyTorch program: torch_worker.py PROGRAM, with RANK and the rest in
the environment as a launcher sets it. Prints "PROGRAM done" at its end.
"""
import datetime
import faulthandler
import os
import sys

import torch
import torch.distributed as dist

LIMIT = datetime.timedelta(seconds=60)
RANK, SIZE = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
HOST, PORT = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])


def use_everything():
    total = torch.ones(4) * (RANK + 1)
    dist.all_reduce(total)
    assert total.tolist() == [SIZE * (SIZE + 1) / 2] * 4, total
    dist.barrier()
    objects = [None] * SIZE
    dist.all_gather_object(objects, {"rank": RANK})
    assert [one["rank"] for one in objects] == list(range(SIZE)), objects
    sent = [{"from": 0}, "text"] if RANK == 0 else [None, None]
    dist.broadcast_object_list(sent, src=0)
    assert sent == [{"from": 0}, "text"], sent
    halves = [dist.new_group(list(range(half, SIZE, 2)), timeout=LIMIT) for half in range(2)]
    part = torch.tensor([float(RANK)])
    dist.all_reduce(part, group=halves[RANK % 2])
    assert part.item() == sum(range(RANK % 2, SIZE, 2)), part
    dist.barrier()


def meet(init_method, **more):
    dist.init_process_group("gloo", init_method=init_method, timeout=LIMIT, **more)
    use_everything()
    dist.destroy_process_group()


def env():
    meet("env://")


def tcp():
    meet(f"tcp://{HOST}:{PORT}", rank=RANK, world_size=SIZE)


def ddp():
    dist.init_process_group("gloo", timeout=LIMIT)
    torch.manual_seed(RANK)
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(3):
        optimizer.zero_grad()
        model(torch.full((4, 8), float(RANK + step))).sum().backward()
        optimizer.step()
    weights = [torch.zeros_like(model.module.weight) for _ in range(SIZE)]
    dist.all_gather(weights, model.module.weight.data)
    assert all(torch.equal(weights[0], other) for other in weights)
    dist.barrier()
    return model


def own_store(port):
    """What programs do that open a store of their own: rank 0 serves, the others come to it."""
    store = dist.TCPStore(HOST, port, SIZE, RANK == 0, LIMIT)
    dist.init_process_group("gloo", store=store, rank=RANK, world_size=SIZE, timeout=LIMIT)
    use_everything()
    dist.destroy_process_group()


def own_store_on_port():
    own_store(PORT)


def own_store_on_next_port():
    own_store(PORT + 1)


def env_and_own_store_on_next_port():
    dist.init_process_group("gloo", timeout=LIMIT)
    store = dist.TCPStore(HOST, PORT + 1, SIZE, RANK == 0, LIMIT)
    store.set(f"rank{RANK}", "here")
    store.wait([f"rank{i}" for i in range(SIZE)], LIMIT)
    use_everything()
    dist.destroy_process_group()


PROGRAMS = {body.__name__: body for body in (
    env, tcp, ddp, own_store_on_port, own_store_on_next_port,
    env_and_own_store_on_next_port)}

faulthandler.dump_traceback_later(90, exit=True)  # says where a worker hangs
kept = PROGRAMS[sys.argv[1]]()
print(sys.argv[1], "done", flush=True)
# torch 1.13 can hang when a gloo group is destroyed under Python's lock, at the exit too.
os._exit(0)
