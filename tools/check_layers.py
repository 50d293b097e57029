#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks who includes whom: only lower ranks, the own folder, or the same rank without a cycle.

The architecture calls up only through the three headers in UPCALLS: they are declared at the rank of
their folder and defined above it, so including them needs no exception here, but no other header
may have that name.
"""

import os
import re

import checker

UPCALLS = ("arch/upcall.h", "mm/upcall.h", "sched/upcall.h")

# Folder -> rank. A path belongs to the longest folder that it begins with.
RANKS = {
    "kernel/abi": 0,
    "kernel/base": 1,
    "arch": 2,
    "kernel/sync": 3,
    "kernel/object": 3,
    "arch/riscv": 3,
    "mm": 4,
    "sched": 5,
    "ipc": 6,
    "kernel/core": 7,
    "services": "S",
    "user": "U",
    "tests": "T",
    "tools": "T",
}
CORE_RANK = 7
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def folder_of(path):
    """The ranked folder of a path, or None."""
    best = None
    for folder in RANKS:
        if path.startswith(folder + "/") and (best is None or len(folder) > len(best)):
            best = folder
    return best


def home(path):
    """The folder whose private headers a path may use: each service is one of its own."""
    folder = folder_of(path)
    if folder == "services":
        return "/".join(path.split("/")[:2])
    return folder


def is_protocol(path):
    return folder_of(path) == "services" and path.endswith("/protocol.h")


def is_server_of(source, target):
    """Is `source` in user/programs/<name>-server/, the program around services/<name>/?"""
    match = re.match(r"user/programs/(\w+)-server/", source)
    return bool(match) and target.startswith(f"services/{match.group(1)}/")


def refusal(source, target):
    """Why `source` may not include `target`; None when it may."""
    to = RANKS[folder_of(target)]
    own = RANKS[folder_of(source)]
    if own == "T":
        return None
    if target.endswith("_priv.h") and home(source) != home(target):
        return "a _priv.h stays in its folder"
    if home(source) == home(target):
        return None
    if to == "T":
        return "nothing includes tests or tools"
    if is_protocol(source):
        return None if to == 0 else "a protocol includes only kernel/abi"
    if own == "U":
        allowed = to == 0 or is_protocol(target) or is_server_of(source, target)
        return None if allowed else "user code includes only kernel/abi and protocols"
    if own == "S":
        # A service placed in user space is a user program, so it may use the user library.
        if is_protocol(target) or to == "U" or (to not in ("S", CORE_RANK)):
            return None
        return "a service includes no other service and nothing of kernel/core"
    if to in ("S", "U"):
        return None if is_protocol(target) else "the kernel includes no service and no user code"
    if to > own:
        return f"rank {to} is above rank {own}"
    return None


def find_cycles(edges):
    """Cycles in a graph {node: set of nodes}, one sentence each."""
    cycles, state = [], {}

    def visit(node, trail):
        state[node] = "open"
        for other in sorted(edges.get(node, ())):
            if state.get(other) == "open":
                cycles.append(" -> ".join(trail[trail.index(other):] + [other]))
            elif other not in state:
                visit(other, trail + [other])
        state[node] = "done"

    for node in sorted(edges):
        if node not in state:
            visit(node, [node])
    return cycles


def check(root):
    problems, files, folders = [], {}, {}
    for source in checker.files(root, (".c", ".h", ".S")):
        if os.path.basename(source) == "upcall.h" and source not in UPCALLS:
            problems.append(f"{source}: up-calls are declared only in {', '.join(UPCALLS)}")
        if folder_of(source) is None:
            problems.append(f"{source}: this folder has no rank")
            continue
        for number, line in enumerate(checker.lines(root, source), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match.group(1)
            where = f'{source}:{number}: #include "{target}"'
            if folder_of(target) is None or not os.path.exists(os.path.join(root, target)):
                problems.append(f"{where}: not spelled from the root, or missing")
                continue
            reason = refusal(source, target)
            if reason:
                problems.append(f"{where}: {reason}")
            files.setdefault(source, set()).add(target)
            a, b = folder_of(source), folder_of(target)
            if a != b and RANKS[a] == RANKS[b]:
                folders.setdefault(a, set()).add(b)
    problems += [f"cycle of headers: {cycle}" for cycle in find_cycles(files)]
    problems += [f"cycle of folders: {cycle}" for cycle in find_cycles(folders)]
    return problems


def self_test():
    good = {
        "kernel/abi/status.h": "",
        "kernel/base/types.h": "",
        "mm/frame.h": '#include "kernel/base/types.h"\n',
        "mm/vspace.c": '#include "mm/frame.h"\n#include "arch/upcall.h"\n',
        "arch/upcall.h": "",
        "services/echo/protocol.h": '#include "kernel/abi/status.h"\n',
        "user/programs/echo-server/main.c": '#include "services/echo/echo.h"\n',
        "services/echo/echo.h": "",
        "user/shell.c": '#include "services/echo/protocol.h"\n#include "kernel/abi/status.h"\n',
    }
    bad = [
        {"mm/frame.c": '#include "sched/thread.h"\n', "sched/thread.h": ""},
        {"user/shell.c": '#include "kernel/base/types.h"\n', "kernel/base/types.h": ""},
        {"user/programs/other-server/main.c": '#include "services/echo/echo.h"\n',
         "services/echo/echo.h": ""},
        {"mm/a.h": '#include "mm/b.h"\n', "mm/b.h": '#include "mm/a.h"\n'},
        {"kernel/sync/a.h": '#include "kernel/object/b.h"\n', "kernel/object/b.h": "",
         "kernel/object/c.h": '#include "kernel/sync/d.h"\n', "kernel/sync/d.h": ""},
        {"sched/a.c": '#include "mm/b_priv.h"\n', "mm/b_priv.h": ""},
        {"sched/a.c": '#include "b.h"\n', "sched/b.h": ""},
        {"ipc/upcall.h": ""},
        {"sched/a.c": '#include "tests/test.h"\n', "tests/test.h": ""},
        {"ipc/a.c": '#include "kernel/core/panic.h"\n', "kernel/core/panic.h": ""},
    ]
    return checker.expect(check, bad, good)


if __name__ == "__main__":
    checker.main(check, self_test)
