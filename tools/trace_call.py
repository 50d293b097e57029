#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the instructions of one round of a row of the benchmark, group by group, from QEMU's own log.

Usage: trace_call.py ROW SYMBOL [PASSES]. Runs the row, lets SYMBOL be reached PASSES times (400) for warm-up, and
prints what is executed until it is reached again: every instruction with its group, then the groups in
their order. In C a group is a function (one that was inlined counts to where it was), in user code "user";
in assembly it is what the nearest comment above of the form `/* group: <text> */` says, or the symbol.
"""

import os
import re
import subprocess
import sys
import time

import build
import paths
import qemu

TOOLS = "riscv64-unknown-elf-"
PC = re.compile(rb"^Trace \d+: \S+ \[[0-9a-f]*/([0-9a-f]+)/")
GROUP = re.compile(r"/\* group: ([^*]+?) \*/")
INSTRUCTION = re.compile(r"^([0-9a-f]{16}):\t[0-9a-f ]+\t(.*)$", re.MULTILINE)
ONE_BY_ONE = "one-insn-per-tb"
LONGEST_ROUND = 20000
LIMIT_S = 300.0


def tool(name, *arguments, text=None):
    return subprocess.run([TOOLS + name, *arguments], input=text, check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def one_by_one():
    """How this QEMU is told to log every instruction."""
    text = subprocess.run([qemu.program(), "-accel", "tcg,help"], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, check=False).stdout
    known = ONE_BY_ONE in text or ONE_BY_ONE in subprocess.run(
        [qemu.program(), "-help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return ["-accel", f"tcg,{ONE_BY_ONE}=on"] if known else ["-singlestep"]


def record_round(row, start, passes):
    """The addresses of one round that begins at `start`."""
    line = qemu.command("release", smp=1, append=f"bench={row}",
                        extra=[*qemu.ICOUNT, *one_by_one(), "-d", "exec,nochain"])
    machine = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    steps, end = [], time.monotonic() + LIMIT_S
    mark = f"/{start:016x}/".encode()
    try:
        for text in machine.stderr:
            if passes >= 0:
                passes -= mark in text
                if passes >= 0:
                    continue
            match = PC.match(text)
            pc = int(match.group(1), 16) if match else None
            if steps and pc == start:
                return steps
            if pc is not None:
                steps.append(pc)
            if len(steps) > LONGEST_ROUND or time.monotonic() > end:
                break
        sys.exit("trace_call: the row ended, or its round does not")
    finally:
        machine.kill()
        machine.wait()


def groups_of(addresses):
    """{address: group} of code of the kernel."""
    marks, result = {}, {}
    text = tool("addr2line", "-a", "-i", "-f", "-e", paths.kernel("release"),
                text="\n".join(f"{pc:#x}" for pc in addresses))
    for found in re.split(r"^(?=0x)", text, flags=re.MULTILINE)[1:]:
        lines = found.splitlines()
        pc, function, place = int(lines[0], 16), lines[-2], lines[-1]  # the outermost of what is inlined
        path, _, number = place.partition(" ")[0].rpartition(":")
        path = path[path.find("/") + 1:] if path.startswith("build/") else path
        if path.endswith((".S", ".inc")):
            if path not in marks:
                with open(os.path.join(paths.ROOT, path), encoding="utf-8") as file:
                    found = [(n, GROUP.search(text)) for n, text in enumerate(file, 1)]
                marks[path] = [(n, match.group(1)) for n, match in found if match]
            function = ([function] + [name for n, name in marks[path] if n <= int(number)])[-1]
        result[pc] = function
    return result


def main():
    row, symbol = sys.argv[1:3]
    build.build("release")
    names = dict(line.split()[::-2] for line in
                 tool("nm", paths.kernel("release")).splitlines() if len(line.split()) == 3)
    if symbol not in names:
        sys.exit(f"trace_call: no symbol {symbol}")
    steps = record_round(row, int(names[symbol], 16), int((sys.argv[3:4] or ["400"])[0]))
    groups = groups_of(sorted({pc for pc in steps if pc >> 63}))
    texts = dict(INSTRUCTION.findall(tool("objdump", "-d", "-z", paths.kernel("release"))))
    runs = []
    for pc in steps:
        group = groups.get(pc, "user")
        print(f"{pc:#18x}  {group:<32}  {texts.get(f'{pc:016x}', '')}".rstrip().expandtabs(8))
        if not runs or runs[-1][0] != group:
            runs.append([group, 0])
        runs[-1][1] += 1
    print(f"\n{len(steps)} instructions")
    for group, count in runs:
        print(f"{count:>5}  {group}")


if __name__ == "__main__":
    main()
