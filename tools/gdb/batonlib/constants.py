# SPDX-License-Identifier: MIT
"""The kernel's constants, read from its headers so that no number is written twice."""

import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
HEADERS = ("arch/layout.h", "arch/riscv/offsets.h", "ipc/riscv/offsets.h", "kernel/abi/limits.h")
DEFINE = re.compile(r"^#define\s+(\w+)\s+(?:\\\n\s*)?\(?(-?(?:0x[0-9a-fA-F]+|\d+))U?L?\)?\s*(?:/\*|$)",
                    re.MULTILINE)


def read_headers():
    found = {}
    for header in HEADERS:
        with open(os.path.join(ROOT, header), encoding="utf-8") as file:
            found.update((name, int(value, 0)) for name, value in DEFINE.findall(file.read()))
    return found


VALUES = read_headers()


def constant(name):
    """The value of a macro of HEADERS that is a plain number."""
    return VALUES[name]
