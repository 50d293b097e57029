#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make bench`: runs the benchmarks under -icount and prints the table. B= is a pattern of ids.

Rules:
- One instruction is one nanosecond of guest time: the figures are the same on every machine. A row runs on one
  hart, or on as many as its column `harts` in targets.csv says; more than one takes QEMU 10 and a seed.
- The machine prints a line "bench <id> <value> <unit>" for each row, and ends with code 0.
- A second table shows that no row costs more with more harts or more memory: the rows again on the machines
  of FLAT, which take QEMU 10.
- A third table shows that a call costs the same however many ports and domains there are, and a look-up however many
  names, and a wait however many sources: rows grow_<what>_<how many>, on a machine of their own with more memory.
- build/bench/bench.csv has the columns id,value,unit,target,peer,peer_value.
- tests/bench/targets.csv says what to reach; tests/bench/baseline.csv is what the last commit reached;
  bench.py --save brings the latter up to date.
"""

import csv
import os
import re
import sys

import build
import mkbuildid
import paths
import patterns
import qemu

FOLDER = os.path.join(paths.ROOT, "tests", "bench")
COLUMNS = ["id", "value", "unit", "target", "peer", "peer_value"]
ROW = re.compile(r"^bench (\w+) (\d+(?:\.\d+)?) (\S+)\s*$")
QUIET_LIMIT_S = 120.0
ALLOWED_GROWTH = 0.03
SIZES = ("grow_*",)
SIZES_QUICK = ("grow_*ports_*", "grow_*domains_1", "grow_*domains_100", "grow_names_*", "grow_wait_*")
SIZES_MEMORY = "2G"
FLAT = [(1, "64M"), (8, "64M"), (64, "64M"), (1, "4G"), (8, "4G"), (64, "4G")]


class BenchError(Exception):
    """The benchmarks did not run to their end."""


def read_table(name):
    """{id: row} of a table under tests/bench/."""
    with open(os.path.join(FOLDER, name), encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def run_machine(pattern, **machine):
    """{id: (value, unit)} of the rows that one machine prints."""
    rows, lines = {}, []

    def hear(text):
        lines.append(text)
        match = ROW.match(text)
        if match and patterns.matches(match.group(1), pattern):
            rows[match.group(1)] = (float(match.group(2)), match.group(3))
        return bool(match)
    line = qemu.command("release", append=f"bench={pattern}", **machine)
    code = qemu.batch(line, hear, QUIET_LIMIT_S)
    if code != qemu.EXIT_OK:
        raise BenchError("\n".join(lines[-30:] + [f"the machine ended with {code} "
                                                  f"({qemu.MEANING.get(code, 'unknown')})"]))
    return rows


def several_harts():
    """{id: harts} of the rows that take more than one hart."""
    return {name: int(row["harts"]) for name, row in read_table("targets.csv").items()
            if int(row["harts"]) > 1}


def left_out():
    """{id: why} of the rows that cannot be measured here."""
    program, reason = qemu.qemu10()
    return {} if program else {name: reason for name in several_harts()}


def measure(pattern="*"):
    """{id: (value, unit)} of all rows that match."""
    several = several_harts()
    chosen = [name for name in several if patterns.matches(name, pattern)]
    rows = {}
    if pattern not in several:
        rows = run_machine(pattern, smp=1, extra=qemu.ICOUNT)
    for name in chosen:
        if name not in left_out():
            rows.update(run_machine(name, smp=several[name], extra=qemu.seeded(1),
                                    qemu=qemu.qemu10()[0]))
    return rows


def measure_flat(pattern="*", machines=tuple(FLAT)):
    """{(harts, memory): {id: (value, unit)}}, empty without QEMU 10."""
    program = qemu.qemu10()[0]
    return {(harts, memory): run_machine(pattern, smp=harts, mem=memory, extra=qemu.seeded(1),
                                         qemu=program)
            for harts, memory in (machines if program else ())}


def measure_sizes(chosen=SIZES, pattern="*"):
    """{id: (value, unit)} of the calls with many ports and domains; a machine for each pattern in `chosen`."""
    rows = {}
    for machine in chosen:
        rows.update(run_machine(machine, smp=1, mem=SIZES_MEMORY, extra=qemu.ICOUNT))
    return {name: row for name, row in rows.items() if patterns.matches(name, pattern)}


def series(rows):
    """{grow_<what>: {how many: value}}"""
    found = {}
    for name, (value, _) in rows.items():
        what, _, size = name.rpartition("_")
        if size.isdigit():
            found.setdefault(what, {})[int(size)] = value
    return found


def steep(rows):
    """{grow_<what>: sentence or None}: a call that costs more with more of them; one size alone shows nothing."""
    verdicts = {}
    for what, values in series(rows).items():
        least = values[min(values)]
        wrong = [size for size, value in values.items() if value > least * (1 + ALLOWED_GROWTH)]
        verdicts[what] = (f"{values[wrong[0]]:g} with {wrong[0]}, {least:g} with {min(values)}" if wrong
                          else None if len(values) > 1 else "measured with one number of them only")
    return verdicts


def growth(rows, larger):
    """{id: sentence or None}: what costs more on a larger machine; both are {id: (value, unit)}."""
    return {name: None if larger[name][0] <= value * (1 + ALLOWED_GROWTH)
            else f"{larger[name][0]:g}, and {value:g} on the smaller machine"
            for name, (value, _) in rows.items() if name in larger}


def table(rows):
    """The rows of the CSV file, as dictionaries."""
    targets = read_table("targets.csv")
    result = []
    known = [name for name in targets if name in rows]
    for name in known + [name for name in rows if name not in targets]:
        (value, unit), target = rows[name], targets.get(name, {})
        result.append(dict(zip(COLUMNS, [name, f"{value:g}", unit, target.get("target", ""),
                                         target.get("peer", ""), target.get("peer_value", "")])))
    return result


def regressions(rows, chosen=lambda name: True):
    """{id: sentence or None} against the committed table; a row that is gone is a regression too."""
    verdicts = {}
    for name, row in read_table("baseline.csv").items():
        if not chosen(name):
            continue
        old = float(row["value"])
        if name in left_out():
            continue
        if name not in rows:
            verdicts[name] = "the row is gone"
        elif rows[name][0] > old * (1 + ALLOWED_GROWTH):
            verdicts[name] = f"{rows[name][0]:g}, was {old:g}"
        else:
            verdicts[name] = None
    return verdicts


def print_table(rows, out=sys.stdout):
    print(f"Baton build {mkbuildid.source_hash(paths.ROOT)}, release, -cpu rv64, -icount shift=0",
          file=out)
    print(f"{'id':<26}{'value':>10} {'unit':<14}{'target':>8}  peer", file=out)
    for row in rows:
        met = ""
        if row["target"]:
            met = "" if float(row["value"]) <= float(row["target"]) else "  (above the target)"
        peer = f"{row['peer']} {row['peer_value']}" if row["peer"] else "-"
        print(f"{row['id']:<26}{row['value']:>10} {row['unit']:<14}{row['target'] or '-':>8}  "
              f"{peer}{met}", file=out)


def print_flat(machines, out=sys.stdout):
    print("\nThe same by harts and memory (QEMU 10, several harts in turn)", file=out)
    print(f"{'id':<26}" + "".join(f"{harts:>6} x {memory:<4}" for harts, memory in machines),
          file=out)
    for name in read_table("targets.csv"):
        values = [rows.get(name, ("-",))[0] for rows in machines.values()]
        if any(value != "-" for value in values):
            print(f"{name:<26}" + "".join(
                f"{value if value == '-' else f'{value:g}':>13}" for value in values), file=out)


def print_sizes(rows, out=sys.stdout):
    sizes = sorted({size for values in series(rows).values() for size in values})
    print(f"\nA call by how many there are; the loop that goes round them, {rows['grow_loop'][0]:g}, is not counted"
          if "grow_loop" in rows else "\nA call by how many there are", file=out)
    print(f"{'id':<26}" + "".join(f"{size:>10}" for size in sizes), file=out)
    for what, values in series(rows).items():
        print(f"{what:<26}" + "".join(f"{values[size]:>10g}" if size in values else f"{'-':>10}"
                                      for size in sizes), file=out)


def write_csv(rows):
    folder = os.path.join(paths.BUILD, "bench")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "bench.csv")
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def save_baseline(rows):
    """Replaces the committed figures of these rows; the others stay."""
    saved = {name: (row["value"], row["unit"]) for name, row in read_table("baseline.csv").items()}
    saved.update({row["id"]: (row["value"], row["unit"]) for row in rows})
    with open(os.path.join(FOLDER, "baseline.csv"), "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("id", "value", "unit"))
        writer.writerows((name, *saved[name]) for name in saved)


def main():
    pattern = patterns.from_environment("B", "*")
    try:
        build.build("release")
        sizes_only = pattern.startswith("grow")
        measured = {} if sizes_only else measure(pattern)
        machines = {} if sizes_only else measure_flat(pattern)
        sizes = measure_sizes(pattern=pattern) if sizes_only or pattern == "*" else {}
        rows = table({**measured, **sizes})
    except (build.BuildError, BenchError) as error:
        sys.exit(f"bench: {error}")
    if not rows:
        sys.exit(f"bench: no row matches '{pattern}'")
    print_table([row for row in rows if row["id"] not in sizes])
    if machines:
        print_flat(machines)
    if sizes:
        print_sizes(sizes)
    print(os.path.relpath(write_csv(rows), paths.ROOT))
    if "--save" in sys.argv[1:]:
        save_baseline(rows)


if __name__ == "__main__":
    main()
