#!/usr/bin/env python3
"""Measures the workers' store beside PyTorch's own and beside an echo server that does nothing.

All servers under the same load, by turns, in one run: a noisy machine disturbs them alike, so look
at the ratios. README.md explains the columns. MUSTER_BIN_DIR names the folder of the programs.
Exit codes: 0; 1 a server or the load failed; 77 nothing to measure here.
"""
import argparse
import contextlib
import json
import os
import resource
import select
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.environ.get("MUSTER_BIN_DIR", "build/release/bin")
START_S = 90  # import torch from a cold disk
STOP_S = 20
LOAD_S = 300
TORCH_CODE = "import torch; print(torch.__version__)"


def program(name):
    return os.path.join(BIN, name)


class Server:
    """How one server is started, and which numbering of the operations it is loaded with."""

    def __init__(self, name, command, era="2.2", echo=False):
        self.name, self.command, self.era, self.echo = name, command, era, echo

    @contextlib.contextmanager
    def running(self):
        with tempfile.TemporaryFile() as errors:
            child = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=errors, preexec_fn=raise_descriptor_limit)
            try:
                yield child, read_port(child, self.name, errors)
            finally:
                child.terminate()
                try:
                    child.communicate(timeout=STOP_S)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.communicate()


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def read_port(child, name, errors):
    ready, _, _ = select.select([child.stdout], [], [], START_S)
    words = child.stdout.readline().split() if ready else []
    if len(words) != 2 or words[0] != b"port":
        errors.seek(0)
        raise RuntimeError(f"{name} did not start: {errors.read().decode()[-500:]}")
    return int(words[1])


def run_json(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_S)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


def load(server, clients, options):
    with server.running() as (child, port):
        seen = run_json([program("store_load"), "--port", str(port), "--clients", str(clients),
                         "--era", server.era, "--threads", str(options.threads),
                         "--server-pid", str(child.pid),
                         "--measure-ms", str(int(options.seconds * 1000)),
                         *(["--echo"] if server.echo else [])])
    # The kernel counts in ticks of 10 ms; a short smoke run may see none.
    seen["cpu_us_per_op"] = max(seen["rounds_cpu_s"], 0.01) * 1e6 / max(1, 3 * seen["rounds"])
    return seen


def load_with_torch(server, python, options):
    with server.running() as (_, port):
        return run_json([python, os.path.join(HERE, "torch_load.py"), str(port),
                         str(options.torch_processes), str(options.torch_threads),
                         str(max(1, int(options.seconds)))])


def find_torch(wished):
    """A Python that has torch, and torch's version; (None, None) where there is none."""
    for python in [wished] if wished else [os.environ.get("PYTHON_EXEC", ""), sys.executable,
                                           shutil.which("python3") or "", "/usr/bin/python3"]:
        done = subprocess.run([python, "-c", TORCH_CODE], capture_output=True, text=True,
                              timeout=START_S) if python else None
        if done and done.returncode == 0:
            return python, done.stdout.strip()
    return None, None


def script_of(era):
    return subprocess.run([program("store_load"), "--print-script", "--era", era], check=True,
                          capture_output=True, text=True, timeout=10).stdout.strip()


def our_server(admission, era):
    return Server(f"muster {admission}" + (f" ({era})" if era != "2.2" else ""),
                  [program("muster-rendezvous"), "store", "--port", "0", "--admission", admission],
                  era=era)


def all_servers(python, version):
    servers = [Server("echo", [program("echo_server"), "--script", script_of("2.2")], echo=True),
               our_server("open", "2.2"), our_server("uid", "2.2")]
    if not python:
        return servers
    torch_server = [python, os.path.join(HERE, "torch_server.py")]
    if tuple(int(part) for part in version.split(".")[:2]) >= (2, 2):
        servers += [Server(f"torch {version} {backend}", [*torch_server, backend])
                    for backend in ("libuv", "legacy")]
    else:
        servers += [our_server("uid", "1.13"),
                    Server(f"torch {version}", torch_server, era="1.13")]
    return servers


def median_of(results, name, field):
    return statistics.median(one[field] for one in results[name])


def median_ratio(results, name, base, field):
    """Of each round's own pair: the machine's mood cancels."""
    return statistics.median(a[field] / b[field] for a, b in zip(results[name], results[base]))


def print_table(clients, results):
    base = next(iter(results))
    peers = [name for name in results if name.startswith("torch")]
    print(f"\n{clients} clients; ratios to {base}" + (f" and to {peers[0]}" if peers else ""))
    head = ["server", "connect s", "ratio", "barrier s", "ops/s", "ratio", "CPU us/op", "ratio"]
    rows = []
    for name in results:
        row = [name, f"{median_of(results, name, 'connect_s'):.3f}",
               f"{median_ratio(results, name, base, 'connect_s'):.2f}",
               f"{median_of(results, name, 'barrier_s'):.3f}",
               f"{median_of(results, name, 'ops_per_s'):,.0f}",
               f"{median_ratio(results, name, base, 'ops_per_s'):.2f}",
               f"{median_of(results, name, 'cpu_us_per_op'):.2f}",
               f"{median_ratio(results, name, base, 'cpu_us_per_op'):.2f}"]
        if peers:
            row.append(f"{median_ratio(results, name, peers[0], 'ops_per_s'):.2f}")
        rows.append(row)
    if peers:
        head.append("ops to torch")
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))))


def measure_raw(servers, options):
    report = {}
    for clients in options.clients:
        results = {server.name: [] for server in servers}
        for number in range(options.rounds):
            turn = servers[number % len(servers):] + servers[:number % len(servers)]
            for server in turn:
                results[server.name].append(load(server, clients, options))
        print_table(clients, results)
        sys.stdout.flush()
        report[clients] = results
    return report


def measure_torch_clients(servers, python, options):
    servers = [server for server in servers if not server.echo and "(1.13)" not in server.name]
    results = {server.name: [] for server in servers}
    for _ in range(options.rounds):
        for server in servers:
            results[server.name].append(load_with_torch(server, python, options))
    print(f"\n{options.torch_processes * options.torch_threads} real PyTorch clients, ops/s; "
          f"ratio to {servers[-1].name}")
    for server in servers:
        print(f"{server.name:32} {median_of(results, server.name, 'ops_per_s'):10,.0f} "
              f"{median_ratio(results, server.name, servers[-1].name, 'ops_per_s'):6.2f}")
    return results


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clients", default="100,4000,16000",
                        type=lambda text: [int(word) for word in text.split(",")])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of set+wait+get")
    parser.add_argument("--threads", type=int, default=max(1, min(4, (os.cpu_count() or 2) - 1)),
                        help="of the load generator")
    parser.add_argument("--only", default="", help="servers whose name contains one of a,b,c")
    parser.add_argument("--python", default="", help="a Python that has torch")
    parser.add_argument("--no-torch", action="store_true")
    parser.add_argument("--torch-processes", type=int, default=2)
    parser.add_argument("--torch-threads", type=int, default=8)
    parser.add_argument("--json", default="", help="write all figures to this file")
    parser.add_argument("--smoke", action="store_true", help="that the bench works, not figures")
    options = parser.parse_args()
    if options.smoke:
        options.clients, options.rounds, options.seconds = [20], 1, 0.3
        options.no_torch = True
    return options


def main():
    options = parse_options()
    if not os.path.exists(program("store_load")):
        print(f"skipped: there is no {program('store_load')}")
        sys.exit(77)
    python, version = (None, None) if options.no_torch else find_torch(options.python)
    if not python and not options.no_torch:
        print("no Python with torch here: without PyTorch's servers")
    servers = all_servers(python, version)
    if options.only:
        servers = [server for server in servers
                   if any(word in server.name for word in options.only.split(","))]
    report = {"cores": os.cpu_count(), "torch": version, "raw": measure_raw(servers, options)}
    if python and not options.only:
        report["torch_clients"] = measure_torch_clients(servers, python, options)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        sys.exit(f"store_bench: {error}")
