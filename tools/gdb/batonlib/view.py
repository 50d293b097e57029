# SPDX-License-Identifier: MIT
"""Whether there is a kernel to look at yet, and gdb's own view of its memory, through the eyes of a core that has one.

Rules:
- The helpers read by physical address (memory.py) and need no view. An expression that the user typed does: gdb
  evaluates it with the eyes of the selected core, which sees no kernel in user mode, in firmware or before its MMU is on.
- The selected core is as before afterwards. An expression with a register is never evaluated on another core.
"""

import re

import gdb

from . import kernel

NAME = re.compile(r"\$([A-Za-z_]\w*)")


def require_kernel():
    """Ends the command with one line as long as the kernel has not found its cores."""
    if int(kernel.load_variable("platform.core_count")) == 0:
        raise gdb.GdbError("baton: the kernel has not started yet: the machine is in its firmware or at the very begin of "
                           "the boot; type `continue`, press Ctrl-C a moment later and try again")


def sees_kernel():
    """Can the selected core read the kernel's variables?"""
    try:
        gdb.selected_inferior().read_memory(kernel.address_of("platform"), 8)
    except gdb.MemoryError:
        return False
    return True


def has_register(expression):
    return any(gdb.convenience_variable(name) is None for name in NAME.findall(expression))


def _read(expression):
    value = gdb.parse_and_eval(expression)
    value.fetch_lazy()
    return value


def evaluate(expression):
    """The value of an expression of gdb's, read by the selected core, else by the first that sees the kernel."""
    try:
        return _read(expression)
    except gdb.MemoryError:
        if sees_kernel() or has_register(expression):
            raise
    chosen, frame = gdb.selected_thread(), gdb.selected_frame()
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            if sees_kernel():
                return _read(expression)
    finally:
        chosen.switch()
        if frame.is_valid():
            frame.select()
    raise gdb.GdbError(f"baton: no core sees the kernel's memory now (each is in user mode, in firmware or at boot), so gdb "
                       f"cannot read '{expression}'; type `continue`, press Ctrl-C and try again")
