"""One worker of a chaos round: toil.py FOLDER SEED SECONDS [FAILS]. What it is like depends on SEED
and its rank. In attempt k it writes its rank and host to FOLDER/started.k, the number of all to
FOLDER/world.k, and its rank to FOLDER/finished.k when its work is done; the last line that it prints
says so too. FAILS, "0:3,1:0", are attempts and ranks that exit with 7 instead.

Each worker locks the byte of its rank in FOLDER/alive.k as long as it lives. Who starts later and
finds such a lock of an earlier attempt writes both attempts and the other's rank to FOLDER/overlap.
"""
import fcntl
import os
import random
import signal
import struct
import subprocess
import sys
import time

FOLDER, SEED, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
FAILS = sys.argv[4].split(",") if sys.argv[4:] else []
RANK = os.environ["RANK"]
ATTEMPT = int(os.environ["TORCHELASTIC_RESTART_COUNT"])
FLOCK = "hhqqi4x"  # struct flock: type, whence, start, length, pid
chance = random.Random(f"{SEED} {RANK}")
WAIT = "import time; time.sleep(500)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(500)"


def note(name, value=RANK):
    """One write, so that lines of several workers do not mix."""
    file = os.open(os.path.join(FOLDER, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, (value + "\n").encode())
    os.close(file)


def lock_file(attempt):
    return os.open(os.path.join(FOLDER, f"alive.{attempt}"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)


def take_lock():
    lock = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, int(RANK), 1, 0)
    fcntl.fcntl(lock_file(ATTEMPT), fcntl.F_SETLK, lock)  # the descriptor stays open


def look_for_earlier_ones():
    for attempt in range(ATTEMPT):
        file, begin = lock_file(attempt), 0
        while True:
            wish = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, begin, 0, 0)
            kind, _, rank, _, _ = struct.unpack(FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, wish))
            if kind == fcntl.F_UNLCK:
                break
            note("overlap", f"{attempt} {ATTEMPT} {rank}")
            begin = rank + 1
        os.close(file)


def start(program, **options):
    return subprocess.Popen([sys.executable, "-S", "-E", "-c", program], **options)


signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback when the job is interrupted
if chance.random() < 0.25:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
take_lock()
look_for_earlier_ones()
note(f"world.{ATTEMPT}", os.environ["WORLD_SIZE"])
note(f"started.{ATTEMPT}", f"{RANK} {os.environ['SLURMD_NODENAME']}")
end = time.monotonic() + SECONDS
kind = chance.choice(("plain", "plain", "plain", "parent", "stubborn", "daemon", "loud", "loud"))
children = []
if kind == "parent":
    children = [start(WAIT), start(WAIT)]
elif kind == "stubborn":
    children = [start(STUBBORN)]
elif kind == "daemon":
    start(STUBBORN, start_new_session=True)  # muster's to remove
number = 0
while time.monotonic() < end:
    if kind == "loud":
        for _ in range(50):
            number += 1
            print(f"line {number} " + "x" * chance.choice((10, 200, 2000)), flush=True,
                  file=chance.choice((sys.stdout, sys.stderr)))
    time.sleep(0.1)
for child in children:
    child.kill()
    child.wait()
if f"{ATTEMPT}:{RANK}" in FAILS:
    sys.exit(7)
note(f"finished.{ATTEMPT}")
print(f"rank {RANK} has finished attempt {ATTEMPT}", flush=True)
