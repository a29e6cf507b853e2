#!/usr/bin/env python3
"""Trains a small character-level transformer with DistributedDataParallel.

Nothing in here knows muster: the process group comes from the environment (env://), as under
torchrun. It runs on CPUs with gloo and on GPUs with NCCL, under PyTorch 1.13 and later.

Every step draws one global batch from the text, and each rank trains on its share of it. All chance
comes from --seed and the number of the step. So the same world size gives the same loss to the last
digit, however the ranks are spread over nodes. A resumed run sees the same batches as one that was
never interrupted and ends with the same loss up to rounding, since DDP sums the gradients of its
first step in another order than those of later steps.
"""
import argparse
import os
import sys
import time
import zlib

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

try:
    from torch.distributed.elastic.multiprocessing.errors import record
except ImportError:  # a PyTorch without it: the launcher gets no error file, only stderr

    def record(function):
        return function


LICENSES = "/usr/share/common-licenses"  # real text that every Debian and Ubuntu has
CONTEXT = 64  # characters that the model looks back
VOCABULARY = 128  # ASCII; any other byte becomes a "?"
WIDTH, HEADS, LAYERS = 64, 4, 2
LEARNING_RATE = 3e-3


class CharacterModel(nn.Module):
    """Characters in, logits of the next character out."""

    def __init__(self):
        super().__init__()
        self.characters = nn.Embedding(VOCABULARY, WIDTH)
        self.positions = nn.Parameter(torch.zeros(CONTEXT, WIDTH))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                WIDTH, HEADS, 4 * WIDTH, dropout=0.0, batch_first=True, norm_first=True
            )
            for _ in range(LAYERS)
        )
        self.norm = nn.LayerNorm(WIDTH)
        self.logits = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, characters):
        length = characters.shape[1]
        future = torch.ones(length, length, dtype=torch.bool, device=characters.device).triu(1)
        hidden = self.characters(characters) + self.positions[:length]
        for layer in self.layers:
            hidden = layer(hidden, src_mask=future)
        return self.logits(self.norm(hidden))


def parse_arguments():
    parser = argparse.ArgumentParser(description="Train a small character-level transformer.")
    add = parser.add_argument
    add("--text", nargs="+", metavar="FILE", help=f"train on these (all of {LICENSES})")
    add("--steps", type=int, default=40, help="train up to this step (%(default)s)")
    add("--batch", type=int, default=4, help="sequences per rank and step (%(default)s)")
    add("--seed", type=int, default=1, help="of the first parameters and the batches (%(default)s)")
    add("--cpu", action="store_true", help="leave GPUs alone, train on CPUs with gloo")
    add("--checkpoint", metavar="FILE", help="resume from FILE if it exists, and write to it")
    add("--checkpoint-every", type=int, default=10, metavar="STEPS", help="(%(default)s)")
    add("--fail-at-step", type=int, metavar="STEP",
        help="to see a failure: raise an error before this step, in the first attempt only")
    add("--fail-rank", type=int, default=0, metavar="RANK", help="who fails (%(default)s)")
    arguments = parser.parse_args()
    for name in ("steps", "batch", "checkpoint_every"):
        value = getattr(arguments, name)
        if value < 1:
            parser.error(f"--{name.replace('_', '-')} is {value}, expected 1 or more")
    return arguments


def read_text(files):
    """The files, one after the other, as bytes of ASCII; links of a directory are left out."""
    if not files:
        if not os.path.isdir(LICENSES):
            sys.exit(f"train.py: there is no {LICENSES} here; give a text with --text FILE")
        paths = (os.path.join(LICENSES, name) for name in sorted(os.listdir(LICENSES)))
        files = [path for path in paths if os.path.isfile(path) and not os.path.islink(path)]
    text = bytearray()
    for name in files:
        with open(name, "rb") as file:
            text += file.read()
    if len(text) <= CONTEXT + 1:
        sys.exit(f"train.py: {len(text)} characters of text, expected more than {CONTEXT + 1}")
    return text.translate(bytes(c if c < VOCABULARY else ord("?") for c in range(256)))


def choose_device(cpu_only):
    """One GPU per rank, also where each rank is shown only its own; else one core."""
    if torch.cuda.is_available() and not cpu_only:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
        return torch.device("cuda", torch.cuda.current_device())
    torch.set_num_threads(1)
    return torch.device("cpu")


def draw_batch(characters, arguments, step):
    """This rank's share of the step's global batch: inputs, and the same one character later."""
    rank, world_size = dist.get_rank(), dist.get_world_size()
    generator = torch.Generator().manual_seed(arguments.seed * 1_000_003 + step)
    starts = torch.randint(
        len(characters) - CONTEXT, (world_size, arguments.batch), generator=generator
    )[rank]
    windows = characters[starts[:, None] + torch.arange(CONTEXT + 1)].long()
    return windows[:, :-1], windows[:, 1:]


def print_line(text):
    if dist.get_rank() == 0:
        print(text, flush=True)


def require_same_on_all_ranks(what, value, device):
    mine = torch.tensor([value], dtype=torch.int64, device=device)
    gathered = [torch.empty_like(mine) for _ in range(dist.get_world_size())]
    dist.all_gather(gathered, mine)
    values = torch.cat(gathered).tolist()
    odd = [rank for rank, other in enumerate(values) if other != values[0]]
    if odd:
        raise RuntimeError(f"{what} differs from rank 0's on ranks {odd}")


def compute_checksum(model):
    """A number of all bits of all parameters and their places."""
    bits = nn.utils.parameters_to_vector(model.parameters()).detach().view(torch.int32).long()
    return int((bits * torch.arange(1, len(bits) + 1, device=bits.device)).sum())


def compute_mean_over_ranks(loss):
    total = loss.detach().clone()
    dist.all_reduce(total)
    return total.item() / dist.get_world_size()


def load_checkpoint(path, model, optimizer, device):
    """Returns the step that the checkpoint was written after, and its loss."""
    if not path or not os.path.exists(path):
        return 0, float("nan")
    state = torch.load(path, map_location=device)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return state["step"], state["loss"]


def write_checkpoint(path, model, optimizer, step, loss):
    """By rank 0 alone. A reader finds the old file or the new one, never half of one."""
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    state.update(step=step, loss=loss)
    with open(path + ".new", "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def fail_if_asked(arguments, step):
    first_attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0"
    rank = dist.get_rank()
    if first_attempt and step == arguments.fail_at_step and rank == arguments.fail_rank:
        raise RuntimeError(f"rank {rank} fails at step {step}, as --fail-at-step asked")


def train(arguments, text, device):
    """Trains from the checkpoint, if there is one, up to the last step."""
    torch.manual_seed(arguments.seed)
    model = CharacterModel().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    done, mean_loss = load_checkpoint(arguments.checkpoint, model, optimizer, device)
    # Ranks that do not see the same files would train different models without a word.
    require_same_on_all_ranks("the text", zlib.crc32(text), device)
    require_same_on_all_ranks("the step in the checkpoint", done, device)
    if done:
        print_line(f"resuming after step {done} from {arguments.checkpoint}")

    characters = torch.frombuffer(text, dtype=torch.uint8)
    parallel = DistributedDataParallel(model)
    for step in range(done + 1, arguments.steps + 1):
        fail_if_asked(arguments, step)
        inputs, targets = draw_batch(characters, arguments, step)
        logits = parallel(inputs.to(device))
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.to(device).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

        last = step == arguments.steps
        to_write = arguments.checkpoint and (last or step % arguments.checkpoint_every == 0)
        if step == 1 or last or step % 10 == 0 or to_write:
            mean_loss = compute_mean_over_ranks(loss)
            print_line(f"step {step} loss {mean_loss:.6f}")
        if to_write and dist.get_rank() == 0:
            write_checkpoint(arguments.checkpoint, model, optimizer, step, mean_loss)
    return model, max(done, arguments.steps), mean_loss


@record
def main():
    arguments = parse_arguments()
    text = read_text(arguments.text)
    device = choose_device(arguments.cpu)
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend)
    print_line(
        f"{dist.get_world_size()} ranks, {backend}, PyTorch {torch.__version__}, "
        f"{len(text)} characters of text"
    )
    started = time.monotonic()
    model, step, loss = train(arguments, text, device)
    checksum = compute_checksum(model)
    require_same_on_all_ranks("the checksum of the parameters", checksum, device)
    print_line(
        f"done: {dist.get_world_size()} ranks agree, step {step}, loss {loss:.6f}, "
        f"parameters {checksum & 0xFFFFFFFF:08x}, {time.monotonic() - started:.1f} s"
    )
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
