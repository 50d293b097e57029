# SPDX-License-Identifier: MIT
"""Names and lines of code addresses, in the kernel and in each program.

Rules: gdb is asked nothing and told nothing here. All programs are linked at the same addresses, and
loading their symbols into gdb in turn would move the user's breakpoints about.
"""

import bisect
import os
import subprocess
import sys
from collections import namedtuple

import gdb

from .constants import ROOT

sys.path.append(os.path.join(ROOT, "tools"))

from elffile import ElfFile  # noqa: E402  pylint: disable=wrong-import-position

ADDR2LINE = "riscv64-unknown-elf-addr2line"
NOT_CODE = "$."  # mapping symbols, and labels of the compiler

# start is where the function begins that the linker knows by `name`; names begins with the innermost of
# the functions that were inlined there; line is file:line or "".
Place = namedtuple("Place", "start name names line")

_images = {}


def kernel_path():
    path = gdb.current_progspace().filename
    if not path:
        raise gdb.GdbError("baton: no kernel; load build/<preset>/baton.elf with `file`")
    return os.path.realpath(path)


def program_folder():
    return os.path.join(os.path.dirname(kernel_path()), "user", "bin")


def kernel_image():
    return image_of(kernel_path())


def program_image(name):
    """The image of a user program, or None when it was not built."""
    path = os.path.join(program_folder(), name)
    return image_of(path) if name and os.path.isfile(path) else None


def image_of(path):
    """The Image of a file; read again when the file has changed."""
    stamp = os.stat(path).st_mtime_ns
    if path not in _images or _images[path].stamp != stamp:
        _images[path] = Image(path, stamp)
    return _images[path]


class Image:
    """One ELF file with symbols."""

    def __init__(self, path, stamp):
        self.path, self.stamp, self.places = path, stamp, {}
        elf = ElfFile(path)
        code = {index for index, section in enumerate(elf.sections) if section.flags & 4}
        functions = sorted((symbol.value, symbol.name) for symbol in elf.symbols()
                           if symbol.section in code and symbol.name[0] not in NOT_CODE)
        self.starts = [value for value, _ in functions]
        self.names = [name for _, name in functions]
        self.ranges = [(elf.sections[index].addr, elf.sections[index].addr + elf.sections[index].size)
                       for index in code]

    def place(self, address):
        """The Place of an instruction, or None when it is outside of the code."""
        if not any(start <= address < end for start, end in self.ranges):
            return None
        if address not in self.places:
            index = bisect.bisect_right(self.starts, address) - 1
            self.places[address] = self.look_up(address, index) if index >= 0 else None
        return self.places[address]

    def look_up(self, address, index):
        start, name = self.starts[index], self.names[index]
        inlined, line = lines_of(self.path, address)
        if not inlined or inlined[-1] != name.split(".")[0]:
            inlined = [name]
        return Place(start, name, inlined, line)


def lines_of(path, address):
    """(names of the functions there, the innermost first; file:line), empty where nothing is known."""
    try:
        done = subprocess.run([ADDR2LINE, "-f", "-i", "-e", path, f"{address:#x}"], capture_output=True,
                              text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return [], ""  # names alone are better than nothing
    answer = done.stdout.split("\n")
    names = [name for name in answer[0:-1:2] if name != "??"]
    line = answer[1].split(" ")[0].removeprefix("build/") if len(answer) > 1 else ""
    return names, "" if line.startswith("??") or line.endswith(("?", ":0")) else line
