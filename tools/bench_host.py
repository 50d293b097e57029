#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make bench-host`: parts of the kernel beside their peers on this machine. B= is a pattern of ids.

Rules:
- The programs of tests/host_bench; their heads say what is measured. Nanoseconds for an operation.
- Families: spmalloc beside mimalloc and jemalloc; the queue of a port (ipc/line.c) beside liburcu's and
  Concurrency Kit's, and once more with the port's lock around each pop; the baton beside FIFO spinlocks, and
  beside a mutex, which is no peer: it may starve one.
- Runs are interleaved: each round runs every candidate once on every row. The figure is the median of 9.
- The ratio is that of the better peer's median to ours: above 1 we are faster. The spread is shown, because
  the machines are shared; a row below its target says so.
- build/bench/host.csv has a line for each row and candidate, the ratio in our line, and for the sections
  the share of the caller that got less.
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

SIZES = ("8", "16", "32", "64", "128", "256", "512", "1024", "2048", "mix")
ROUNDS = 9
TIME_LIMIT_S = 120
COLUMNS = ["id", "candidate", "median_ns", "min_ns", "max_ns", "ratio", "target", "verdict", "lesser_share"]

# ours first; beside: shown, but no peer. command(candidate, row) is the program and its arguments.
Family = namedtuple("Family", "name ours peers beside command")
Row = namedtuple("Row", "id family kind size operations target")
# figures: {candidate: [ns of each round]}; shares: {candidate: [percent]}; ratio: the better peer's median to ours
Result = namedtuple("Result", "row figures shares ratio target")

ALLOCATOR = Family("an allocation and its free", "spmalloc", ("mimalloc", "jemalloc"), (),
                   lambda candidate, row: [f"bench-{candidate}", row.kind, row.size])
QUEUE = Family("a push and its pop", "line", ("wfcqueue", "ck_fifo"), ("line_locked",),
               lambda candidate, row: ["bench-queue", candidate, row.kind])
SECTION = Family("a section that two callers want", "baton", ("ck_ticket", "ck_mcs"), ("mutex",),
                 lambda candidate, row: ["bench-baton", candidate, row.kind])
FAMILIES = (ALLOCATOR, QUEUE, SECTION)

# kind -> (operations of a run, target or None)
KINDS = {"pair": (4_000_000, 1.0), "live": (4_000_000, None), "remote": (1_000_000, 1.2)}
QUEUE_KINDS = {"same": (4_000_000, 1.0), "burst": (4_000_000, 1.0), "cross": (2_000_000, 1.0)}
SECTION_KINDS = {"short": (400_000, 1.5), "long": (100_000, None)}


class BenchError(Exception):
    """A program did not print its number; the text says which."""


def all_rows():
    found = [Row(f"{kind}_{size}", ALLOCATOR, kind, size, *KINDS[kind]) for kind in KINDS for size in SIZES]
    found += [Row(f"queue_{kind}", QUEUE, kind, "", *QUEUE_KINDS[kind]) for kind in QUEUE_KINDS]
    return found + [Row(f"section_{kind}", SECTION, kind, "", *SECTION_KINDS[kind]) for kind in SECTION_KINDS]


def rows(pattern):
    return [row for row in all_rows() if patterns.matches(row.id, pattern)]


def candidates(family):
    return (family.ours, *family.peers, *family.beside)


def measure_once(folder, candidate, row):
    """The numbers that the program prints: nanoseconds and, for a section, the lesser share."""
    program, *arguments = row.family.command(candidate, row)
    line = [os.path.join(folder, program), *arguments, str(row.operations)]
    done = subprocess.run(line, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=TIME_LIMIT_S, check=False)
    if done.returncode != 0:
        raise BenchError(f"{' '.join(line)} ended with {done.returncode}: {done.stdout.strip()}")
    return [float(number) for number in done.stdout.split()]


def measure(folder, chosen, rounds):
    """{(row, candidate): [what each round printed]}"""
    figures = {(row, candidate): [] for row in chosen for candidate in candidates(row.family)}
    for number in range(rounds):
        for row, candidate in figures:
            figures[row, candidate].append(measure_once(folder, candidate, row))
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return figures


def judge(chosen, figures):
    results = []
    for row in chosen:
        printed = {candidate: figures[row, candidate] for candidate in candidates(row.family)}
        ns = {candidate: [numbers[0] for numbers in printed[candidate]] for candidate in printed}
        shares = {candidate: [numbers[1] for numbers in printed[candidate] if len(numbers) > 1]
                  for candidate in printed}
        peer = min(statistics.median(ns[candidate]) for candidate in row.family.peers)
        ratio = peer / statistics.median(ns[row.family.ours])
        results.append(Result(row, ns, shares, ratio, row.target))
    return results


def verdict(result):
    if result.target is None:
        return ""
    return "reached" if result.ratio >= result.target else "missed"


def print_table(results, out=sys.stdout):
    for family in FAMILIES:
        mine = [result for result in results if result.row.family is family]
        if not mine:
            continue
        print(f"nanoseconds for {family.name}: median (min..max) of the rounds", file=out)
        heads = "".join(f"{name:>22}" for name in candidates(family))
        print(f"{'id':<14}{heads}{'ratio':>8}{'target':>8}", file=out)
        for result in mine:
            cells = "".join(f"{statistics.median(ns):>8.1f} {f'({min(ns):.1f}..{max(ns):.1f})':>13}"
                            for ns in result.figures.values())
            print(f"{result.row.id:<14}{cells}{result.ratio:>8.2f}{result.target or '-':>8}  {verdict(result)}",
                  file=out)
            if any(result.shares.values()):
                cells = "".join(f"{f'{statistics.median(shares):.0f} %':>22}" for shares in result.shares.values())
                print(f"{'  lesser share':<14}{cells}", file=out)


def csv_line(result, candidate):
    ns, shares = result.figures[candidate], result.shares[candidate]
    ours = candidate == result.row.family.ours
    return [result.row.id, candidate, f"{statistics.median(ns):.2f}", f"{min(ns):.2f}", f"{max(ns):.2f}",
            f"{result.ratio:.2f}" if ours else "", (result.target or "") if ours else "",
            verdict(result) if ours else "", f"{statistics.median(shares):.1f}" if shares else ""]


def write_csv(results):
    folder = os.path.join(paths.BUILD, "bench")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "host.csv")
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(csv_line(result, candidate) for result in results for candidate in result.figures)
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
