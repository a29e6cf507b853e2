"""One worker of a chaos round: toil.py FOLDER SEED SECONDS. What it is like depends on SEED and its
rank. It writes its rank to FOLDER/started, the number of all to FOLDER/world, and its rank to
FOLDER/finished when its work is done; the last line that it prints says so too."""
import os
import random
import signal
import subprocess
import sys
import time

FOLDER, SEED, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
RANK = os.environ["RANK"]
chance = random.Random(f"{SEED} {RANK}")
WAIT = "import time; time.sleep(500)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(500)"


def note(name, value=RANK):
    """One write, so that lines of several workers do not mix."""
    file = os.open(os.path.join(FOLDER, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, (value + "\n").encode())
    os.close(file)


def start(program, **options):
    return subprocess.Popen([sys.executable, "-S", "-E", "-c", program], **options)


signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback when the job is interrupted
if chance.random() < 0.25:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
note("world", os.environ["WORLD_SIZE"])
note("started")
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
note("finished")
print(f"rank {RANK} has finished", flush=True)
