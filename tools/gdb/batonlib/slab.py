# SPDX-License-Identifier: MIT
"""Slabs of the object allocator (mm/slab_priv.h): which object an address is in, and whether it is in use.

Rules: a free object's first word is (next ^ object) << 52 ^ key, so the low 52 bits of word ^ key are zero;
an object on its way home has the key itself there. The current slab of a heap counts itself in `used`.
"""

import struct

from . import kernel
from .constants import constant
from .memory import read_physical

CHECK_MASK = (1 << 52) - 1


class Slab:
    def __init__(self, frame):
        record = frame.record
        self.frame = frame
        self.object_bytes = int(record["object_bytes"])
        self.capacity = int(record["capacity"])
        self.size_class = int(record["size_class"])
        self.key = int(record["key"])
        self.heap = int(record["heap"])
        self.current = int(record["current"])
        self.objects = int(record["used"]) - self.current

    def account(self):
        """The address of who pays."""
        return int(kernel.load("struct heap", self.heap)["account"])

    def state_of(self, index):
        """What the first word of an object says."""
        address = self.frame.physical + index * self.object_bytes
        word, = struct.unpack("<Q", read_physical(address, 8))
        link = word ^ self.key
        if link == 0:
            return "on its way home"
        return "in use" if link & CHECK_MASK else "free"

    def describe(self, offset):
        """The lines about the slab and the object at an offset of its page."""
        lines = [f"slab     objects of {self.object_bytes} bytes, {self.objects} of {self.capacity} in use"
                 + (", the one that its heap allocates from" if self.current else "")]
        index, inside = divmod(offset, self.object_bytes) if self.object_bytes else (self.capacity, 0)
        if index >= self.capacity:
            return lines + ["object   none: behind the last one"]
        pointer = constant("DIRECT_MAP_BASE") + self.frame.physical + index * self.object_bytes
        return lines + [f"object   number {index} from {pointer:#x}, byte {inside} of it, {self.state_of(index)}"]


