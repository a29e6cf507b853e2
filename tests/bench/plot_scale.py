#!/usr/bin/env python3
"""Measures how the agents' door scales, and draws it.

  plot_scale.py measure MUSTER_SIMULATE OUT.json [--munge-socket PATH]
  plot_scale.py draw OUT.json OUT.svg

`measure` runs muster-simulate for each number of agents and each kind of proof, three times, and
keeps the run of the median assembly. `draw` needs no library: it writes the SVG by hand.
"""

import json
import math
import os
import subprocess
import sys
import tempfile

SIZES = [256, 512, 1024, 2048, 4096, 8192, 16384]
MUNGE_SIZES = [256, 512, 1024, 2048, 4096]
RUNS = 3
# Runs above this wall clock are broken, not slow.
RUN_LIMIT_S = 120

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 40, 50
COLOURS = ["#1f77b4", "#2ca02c", "#d62728", "#9467bd", "#8c564b"]


def run_once(program, agents, auth, munge_socket):
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = [program, str(agents), f"--auth={auth}", f"--json={out.name}"]
        if munge_socket:
            command.append(f"--munge-socket={munge_socket}")
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=RUN_LIMIT_S)
        return json.load(open(out.name))


def measure(program, out_path, munge_socket):
    runs = []
    auths = ["none", "key"] + (["munge"] if munge_socket else [])
    for auth in auths:
        for agents in MUNGE_SIZES if auth == "munge" else SIZES:
            tries = [run_once(program, agents, auth, munge_socket) for _ in range(RUNS)]
            tries.sort(key=lambda one: one["steps"]["assemble"]["total_ms"])
            runs.append(tries[RUNS // 2])
            assemble = runs[-1]["steps"]["assemble"]
            print(f"{auth:6} {agents:6} assemble {assemble['total_ms']:8.1f} ms", flush=True)
    place = {"cores": os.cpu_count(), "network": "loopback", "kernel": os.uname().release,
             "runs": RUNS}
    with open(out_path, "w") as out:
        json.dump({"place": place, "runs": runs}, out, indent=1)
        out.write("\n")


def lines_of(runs):
    """(label, [(agents, ms)]) for each line of the plot."""
    lines = []
    for auth in ("none", "key", "munge"):
        of_auth = [run for run in runs if run["auth"] == auth]
        if of_auth:
            lines.append((f"assemble, auth {auth}",
                          [(run["agents"], run["steps"]["assemble"]["total_ms"])
                           for run in of_auth]))
    for step in ("barrier", "broadcast"):
        points = [(run["agents"], run["steps"][step]["total_ms"])
                  for run in runs if run["auth"] == "none" and step in run["steps"]]
        if points:
            lines.append((step, points))
    return lines


def draw(in_path, out_path):
    data = json.load(open(in_path))
    lines = lines_of(data["runs"])
    sizes = sorted({agents for _, points in lines for agents, _ in points})
    times = [ms for _, points in lines for _, ms in points]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))

    def x(agents):
        share = math.log2(agents / sizes[0]) / math.log2(sizes[-1] / sizes[0])
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(ms):
        return HEIGHT - BOTTOM - (math.log10(ms) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="22" font-size="15">Time until the last of N agents is through '
           f'({data["place"]["cores"]} cores, loopback)</text>']
    for size in sizes:
        svg.append(f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 18}" '
                   f'text-anchor="middle">{size}</text>')
    svg.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" '
               'text-anchor="middle">agents</text>')
    for exponent in range(low, high + 1):
        ms = 10.0 ** exponent
        label = f"{ms / 1000:g} s" if ms >= 1000 else f"{ms:g} ms"
        svg.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(ms):.1f}" y2="{y(ms):.1f}" '
                   'stroke="#dddddd"/>')
        svg.append(f'<text x="{LEFT - 8}" y="{y(ms) + 4:.1f}" text-anchor="end">{label}</text>')
    # A line of slope one, through the first point: what cost linear in N looks like.
    first_agents, first_ms = lines[0][1][0]
    ends = [(first_agents, first_ms), (sizes[-1], first_ms * sizes[-1] / first_agents)]
    svg.append('<polyline fill="none" stroke="#999999" stroke-dasharray="4 4" points="' +
               " ".join(f"{x(a):.1f},{y(min(ms, 10.0 ** high)):.1f}" for a, ms in ends) + '"/>')
    svg.append(f'<text x="{WIDTH - RIGHT + 10}" y="{TOP + 14}" fill="#777777">'
               '- - -  linear in N</text>')
    for number, (label, points) in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        svg.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="' +
                   " ".join(f"{x(a):.1f},{y(ms):.1f}" for a, ms in points) + '"/>')
        svg += [f'<circle cx="{x(a):.1f}" cy="{y(ms):.1f}" r="3" fill="{colour}">'
                f'<title>{a} agents: {ms:.0f} ms</title></circle>' for a, ms in points]
        svg.append(f'<text x="{WIDTH - RIGHT + 10}" y="{TOP + 34 + 20 * number}" '
                   f'fill="{colour}">{label}</text>')
    svg.append("</svg>")
    with open(out_path, "w") as out:
        out.write("\n".join(svg) + "\n")


def main(arguments):
    if len(arguments) in (3, 5) and arguments[0] == "measure":
        socket = arguments[4] if len(arguments) == 5 else None
        return measure(arguments[1], arguments[2], socket)
    if len(arguments) == 3 and arguments[0] == "draw":
        return draw(arguments[1], arguments[2])
    print(__doc__.strip(), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
