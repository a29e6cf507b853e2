#!/usr/bin/env python3
"""Fails on an include that points upward, and on the few other rules a machine can hold.

The order of the house (see README, "How it is built"): launcher -> collectives-bench (its pure part)
-> rendezvous, and launcher, collectives-bench -> slurm -> rendezvous/base. Pure code includes the
standard library and pure headers only. Exit code 1 and one line per breach.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("rendezvous", "slurm", "collectives-bench", "launcher")
MAY_INCLUDE = {
    "rendezvous": {"rendezvous"},
    "rendezvous/c_api": {"rendezvous", "slurm"},  # a layer of its own, see its README
    "slurm": {"slurm", "rendezvous/base"},
    "collectives-bench": {"collectives-bench", "rendezvous", "slurm"},
    "launcher": {"launcher", "collectives-bench", "rendezvous", "slurm"},
}
# What must stay inside the files named: a library's header -> patterns of the files that adapt it.
ONLY_IN = {
    r"<boost/": (r"rendezvous/base/asio\.h",),
    r"<(nvml|cuda|cuda_runtime|cuda_runtime_api|nccl)\.h>": (r"collectives-bench/.*nccl.*", r"launcher/health/.*"),
    r"<rdma/": (r"collectives-bench/.*fabric.*",),
    r"<munge\.h>": (r"rendezvous/.*munge.*",),
    r"<yaml-cpp/": (r"collectives-bench/.*yaml.*",),
    r"<CLI/": (r"launcher/options/.*\.cc", r"collectives-bench/.*\.cc"),
    r"<nlohmann/": (r".*\.cc",),
    r"<spdlog/": (r".*\.cc",),
}
FORK = re.compile(r"(?<![\w.])(::)?v?fork\(\)")
LONGEST_FILE = 500


def sources():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".h", ".cc", ".c"):
                yield folder, path


def allowed_targets(folder, name):
    if name.startswith("rendezvous/c_api/"):
        return MAY_INCLUDE["rendezvous/c_api"]
    return MAY_INCLUDE[folder]


def breaches(folder, path):
    name = path.relative_to(ROOT).as_posix()
    text = path.read_text()
    lines = text.splitlines()
    is_table = False  # hand-aligned tables may be wider than 100 columns
    for number, line in enumerate(lines, 1):
        where = f"{name}:{number}"
        if "clang-format off" in line or "clang-format on" in line:
            is_table = "off" in line
        local = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if local:
            target = local.group(1)
            if not any(target.startswith(one + "/") for one in allowed_targets(folder, name)):
                yield f"{where}: {folder}/ may not include {target}"
            elif folder == "rendezvous" and target.startswith("rendezvous/c_api/") and (
                not name.startswith("rendezvous/c_api/")
            ):
                yield f"{where}: rendezvous/ may not include {target}, a layer above it"
            elif not (ROOT / target).exists() and not (ROOT / (target + ".in")).exists():
                yield f"{where}: {target} is not a path from the repository's root"
        for pattern, allowed in ONLY_IN.items():
            if re.search(r"#\s*include\s+" + pattern, line) and not any(
                re.fullmatch(one, name) for one in allowed
            ):
                yield f"{where}: {line.strip()} belongs into {' or '.join(allowed)} only"
        if FORK.search(line.split("//")[0]) and name != "launcher/process/spawn.cc":
            yield f"{where}: launcher/process/spawn.cc holds the only fork"
        if len(line) > 100 and not is_table:
            yield f"{where}: {len(line)} columns, at most 100"
        if "TODO(now)" in line:
            yield f"{where}: TODO(now) may not be merged"
    if path.suffix == ".h" and "#pragma once" not in text:
        yield f"{name}: a header needs #pragma once"
    if len(lines) > LONGEST_FILE:
        yield f"{name}: {len(lines)} lines, split at {LONGEST_FILE}"


def main():
    found = [breach for folder, path in sources() for breach in breaches(folder, path)]
    for breach in found:
        print(breach)
    print(f"lint: {len(found)} breaches")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
