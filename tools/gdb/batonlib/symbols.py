# SPDX-License-Identifier: MIT
"""Names of code addresses, in the kernel and in one user program at a time.

Rules: all programs are linked at the same addresses, so gdb may know only one of them at any moment. The
one that the user chose comes back after a look at another.
"""

import contextlib
import os
import re
from collections import namedtuple

import gdb

INFO = re.compile(r"^(\S+)(?: \+ (\d+))? in section")

# start is the first address of the function that the linker knows; names begins with the innermost of
# the functions that were inlined there; place is file:line or "".
Place = namedtuple("Place", "start name names place")


class Programs:
    """The user program whose symbols gdb has."""

    def __init__(self):
        self.name = None

    def folder(self):
        kernel = gdb.current_progspace().filename
        if not kernel:
            raise gdb.GdbError("baton: no kernel; load build/<preset>/baton.elf with `file`")
        return os.path.join(os.path.dirname(os.path.realpath(kernel)), "user", "bin")

    def available(self):
        try:
            return sorted(os.listdir(self.folder()))
        except OSError:
            return []

    def load(self, name):
        """Makes `name` (None: nothing) the known program; false when it was not built."""
        if name == self.name:
            return True
        if self.name is not None:
            with contextlib.suppress(gdb.error):
                gdb.execute(f'remove-symbol-file "{os.path.join(self.folder(), self.name)}"', to_string=True)
            self.name = None
        if name is None:
            return True
        if name not in self.available():
            return False
        gdb.execute(f'add-symbol-file "{os.path.join(self.folder(), name)}"', to_string=True)
        self.name = name
        return True

    @contextlib.contextmanager
    def kept(self):
        """Whatever is loaded inside, afterwards the choice is as before."""
        chosen = self.name
        try:
            yield
        finally:
            self.load(chosen)


programs = Programs()


def function_names(address):
    """The functions around an address by debug information, the innermost inlined one first."""
    names = []
    block = gdb.block_for_pc(address)
    while block is not None and not block.is_static and not block.is_global:
        if block.function is not None:
            names.append(block.function.print_name)
        block = block.superblock
    return names


def place_of(address):
    """The Place of an instruction, or None when no symbol covers it."""
    match = INFO.match(gdb.execute(f"info symbol {address:#x}", to_string=True))
    if match is None:
        return None
    line = gdb.find_pc_line(address)
    place = f"{line.symtab.filename}:{line.line}" if line.symtab else ""
    names = function_names(address)
    if not names or match.group(1).split(".")[0] != names[-1]:
        names = [match.group(1)]
    return Place(address - int(match.group(2) or 0), match.group(1), names, place)
