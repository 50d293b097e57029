#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make bench-host`: spmalloc beside mimalloc and jemalloc on this machine. B= is a pattern of ids.

Rules:
- The programs of tests/host_bench; its head says what is measured. Nanoseconds for an allocation and its free.
- Runs are interleaved: each round runs every allocator once on every row. The figure is the median of 9.
- The ratio is that of the better peer's median to ours: above 1 we are faster. The spread is shown, because
  the machines are shared; a row below its target says so.
- build/bench/host.csv has a line for each row and allocator, and the ratio in our line.
"""

import csv
import os
import statistics
import subprocess
import sys
from collections import namedtuple

import build
import paths
import patterns

ALLOCATORS = ("spmalloc", "mimalloc", "jemalloc")
SIZES = ("8", "16", "32", "64", "128", "256", "512", "1024", "2048", "mix")
# kind -> (operations of a run, target or None)
KINDS = {"pair": (4_000_000, 1.0), "live": (4_000_000, None), "remote": (1_000_000, 1.2)}
ROUNDS = 9
TIME_LIMIT_S = 120
COLUMNS = ["id", "allocator", "median_ns", "min_ns", "max_ns", "ratio", "target", "verdict"]

Row = namedtuple("Row", "id kind size")
# ratio: the better peer's median to ours
Result = namedtuple("Result", "row figures ratio target")


class BenchError(Exception):
    """A program did not print its number; the text says which."""


def rows(pattern):
    found = [Row(f"{kind}_{size}", kind, size) for kind in KINDS for size in SIZES]
    return [row for row in found if patterns.matches(row.id, pattern)]


def measure_once(folder, allocator, row):
    program = os.path.join(folder, f"bench-{allocator}")
    done = subprocess.run([program, row.kind, row.size, str(KINDS[row.kind][0])], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIME_LIMIT_S, check=False)
    if done.returncode != 0:
        raise BenchError(f"{program} {row.kind} {row.size} ended with {done.returncode}: {done.stdout.strip()}")
    return float(done.stdout)


def measure(folder, chosen, rounds):
    """{(row, allocator): [ns of each round]}"""
    figures = {(row, allocator): [] for row in chosen for allocator in ALLOCATORS}
    for number in range(rounds):
        for row in chosen:
            for allocator in ALLOCATORS:
                figures[row, allocator].append(measure_once(folder, allocator, row))
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return figures


def judge(chosen, figures):
    results = []
    for row in chosen:
        mine = {allocator: figures[row, allocator] for allocator in ALLOCATORS}
        peer = min(statistics.median(mine[allocator]) for allocator in ALLOCATORS[1:])
        results.append(Result(row, mine, peer / statistics.median(mine[ALLOCATORS[0]]), KINDS[row.kind][1]))
    return results


def verdict(result):
    if result.target is None:
        return ""
    return "reached" if result.ratio >= result.target else "missed"


def print_table(results, out=sys.stdout):
    print("nanoseconds for an allocation and its free: median (min..max) of the rounds", file=out)
    heads = "".join(f"{name:>22}" for name in ALLOCATORS)
    print(f"{'id':<13}{heads}{'ratio':>8}{'target':>8}", file=out)
    for result in results:
        cells = "".join(f"{statistics.median(ns):>8.1f} {f'({min(ns):.1f}..{max(ns):.1f})':>13}"
                        for ns in result.figures.values())
        print(f"{result.row.id:<13}{cells}{result.ratio:>8.2f}{result.target or '-':>8}  {verdict(result)}", file=out)


def write_csv(results):
    folder = os.path.join(paths.BUILD, "bench")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "host.csv")
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for result in results:
            for allocator, ns in result.figures.items():
                ours = allocator == ALLOCATORS[0]
                writer.writerow([result.row.id, allocator, f"{statistics.median(ns):.2f}", f"{min(ns):.2f}",
                                 f"{max(ns):.2f}", f"{result.ratio:.2f}" if ours else "",
                                 (result.target or "") if ours else "", verdict(result) if ours else ""])
    return path


def main():
    pattern = patterns.from_environment("B", "*")
    chosen = rows(pattern)
    if not chosen:
        sys.exit(f"bench-host: no row matches '{pattern}'")
    try:
        folder = os.path.dirname(build.build_apart("host_bench", "bench-spmalloc"))
        results = judge(chosen, measure(folder, chosen, ROUNDS))
    except (build.BuildError, BenchError, subprocess.TimeoutExpired) as error:
        sys.exit(f"bench-host: {error}")
    print_table(results)
    print(os.path.relpath(write_csv(results), paths.ROOT))


if __name__ == "__main__":
    main()
