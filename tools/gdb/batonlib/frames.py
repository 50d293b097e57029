# SPDX-License-Identifier: MIT
"""The records of page frames (mm/frame.h), found in the window by physical address."""

import gdb

from . import kernel
from .constants import constant
from .memory import PAGE_BYTES

RECORD_BYTES = 1 << constant("FRAME_RECORD_SHIFT")


class Frame:
    def __init__(self, physical):
        self.physical = physical
        self.record = kernel.load("struct frame", record_address(physical))
        number = int(self.record["id"])
        self.state = kernel.enumerator(number & 0xff, "frame_state", "FRAME_")
        self.order = number >> 8 & 0xff
        self.owner = number >> 16
        self.references = int(self.record["references"])
        self.node = int(self.record["node"])

    def bytes(self):
        return PAGE_BYTES << self.order


def record_address(physical):
    return constant("KERNEL_OFFSET") + physical // PAGE_BYTES * RECORD_BYTES


def banks():
    """(base, end) of each bank."""
    table = kernel.load_variable("frame_banks")
    for i in range(int(kernel.load_variable("frame_bank_count"))):
        base = int(table[i]["base"])
        yield base, base + int(table[i]["pages"]) * PAGE_BYTES


def is_memory(physical):
    return any(base <= physical < end for base, end in banks())


def max_order():
    kind = gdb.lookup_type("struct frame_node")
    first, last = next(field.type for field in kind.fields() if field.name == "blocks").range()
    return last - first


def find_block(physical):
    """The first frame of the block that the page lies in, or the page's own frame.

    From the largest order down: the records inside a free block say nothing.
    """
    page = physical // PAGE_BYTES * PAGE_BYTES
    for order in range(max_order(), 0, -1):
        start = page & -(PAGE_BYTES << order)
        if is_memory(start):
            frame = Frame(start)
            if frame.order == order and frame.state in ("free", "allocated", "large"):
                return frame
    return Frame(page)


def large_account(frame):
    """The address of who pays for a large object."""
    return int(frame.record["key"])


def all_frames():
    """Every frame that is no free block's inside, by address."""
    for base, end in banks():
        physical = base
        while physical < end:
            frame = Frame(physical)
            yield frame
            physical += frame.bytes() if frame.state in ("free", "allocated", "large") else PAGE_BYTES
