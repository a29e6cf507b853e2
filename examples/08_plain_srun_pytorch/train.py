#!/usr/bin/env python3
"""DistributedDataParallel under plain `srun python3 train.py`: the tasks of the step find each other
through muster's rendezvous; no launcher, no MASTER_ADDR. Fits a line to noisy points."""
import argparse
import gc
import os

import muster_rendezvous
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel


def fit(steps, device):
    """Weight and bias. A function of its own: DistributedDataParallel is gone before the process
    group is destroyed, else PyTorch 1.13 with gloo may hang in its own destructors."""
    torch.manual_seed(dist.get_rank())  # each rank its own points; DDP makes the parameters equal
    model = DistributedDataParallel(torch.nn.Linear(1, 1).to(device))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for step in range(1, steps + 1):
        x = torch.rand(32, 1, device=device)
        y = 3 * x + 1 + 0.01 * torch.randn(32, 1, device=device)
        loss = torch.nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if dist.get_rank() == 0 and step in (1, steps):
            print(f"step {step} loss {loss.item():.4f}", flush=True)
    return model.module.weight.item(), model.module.bias.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--cpu", action="store_true", help="leave GPUs alone")
    arguments = parser.parse_args()

    muster_rendezvous.register_torch()
    on_gpu = torch.cuda.is_available() and not arguments.cpu
    local_rank = int(os.environ["SLURM_LOCALID"])  # LOCAL_RANK of other launchers
    if on_gpu:
        # With --gpus-per-task a task sees its own GPU only, as number 0.
        torch.cuda.set_device(local_rank % torch.cuda.device_count())
    dist.init_process_group("nccl" if on_gpu else "gloo", init_method="muster://")

    weight, bias = fit(arguments.steps, torch.device("cuda" if on_gpu else "cpu"))
    gc.collect()
    hosts = [None] * dist.get_world_size()
    dist.all_gather_object(hosts, os.environ["SLURMD_NODENAME"])
    if dist.get_rank() == 0:
        print(f"{len(hosts)} ranks on {len(set(hosts))} nodes: y = {weight:.2f} x + {bias:.2f}",
              flush=True)
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
