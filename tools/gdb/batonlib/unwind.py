# SPDX-License-Identifier: MIT
"""From the registers in a function to those in its caller."""

import re
from collections import namedtuple

from . import prologue
from .memory import ReadError

FUNCTION_MAX_BYTES = 65536
HELPER = re.compile(r"__riscv_save_(\d+)$")

# The registers that matter for a walk. exact: pc is the next instruction, else it is a return address
# (which belongs to the instruction before it). ra is None when it is not known.
Registers = namedtuple("Registers", "pc sp fp ra exact")


def instruction_of(registers):
    """The address whose function and line describe these registers."""
    return registers.pc if registers.exact else registers.pc - 1


def saved_by_helper(image, address):
    place = image.place(address)
    match = HELPER.match(place.name) if place else None
    return int(match.group(1)) if match else None


def by_convention(space, registers):
    """For code without a prologue of its own: s0 is taken for the end of a frame."""
    fp = registers.fp
    return Registers(space.word(fp - 8), fp, space.word(fp - 16), None, False)


def by_frame(space, registers, frame):
    end = registers.fp if frame.has_fp else registers.sp + frame.size
    ra, fp = registers.ra, registers.fp
    if prologue.RA in frame.saved:
        ra = space.word(end + frame.saved[prologue.RA])
    if prologue.FP in frame.saved:
        fp = space.word(end + frame.saved[prologue.FP])
    return Registers(ra, end, fp, None, False)


def caller(space, image, registers):
    """The caller's registers; image has the symbols of the code, or is None. ReadError when it cannot
    be told. The caller's sp is the end of this frame."""
    frame = None
    place = image.place(instruction_of(registers)) if image else None
    if place and registers.pc - place.start <= FUNCTION_MAX_BYTES:
        code = space.read(place.start, registers.pc - place.start)
        frame = prologue.analyse(code, lambda offset: saved_by_helper(image, place.start + offset))
    if frame is None or (prologue.RA not in frame.saved and registers.ra is None):
        found = by_convention(space, registers)
    else:
        found = by_frame(space, registers, frame)
    if found.sp < registers.sp:
        raise ReadError(f"the frame would end at {found.sp:#x}, below its stack pointer")
    return found
