# SPDX-License-Identifier: MIT
"""Memory of the stopped machine, read by physical address, in whatever mode its cores stopped.

Rules:
- gdb itself reads with the eyes of the selected core, which sees no kernel memory in user mode and no
  virtual addresses in firmware. So every read here walks the page table in Python and asks QEMU for
  physical memory; gdb's own view is as before afterwards.
- Pages are kept for one command; a command begins with forget().
"""

import struct

import gdb

from .constants import constant

PAGE_BYTES = 4096
TABLE_ENTRIES = 512
PTE_VALID, PTE_LEAF = 1, 0xe
PTE_ADDRESS = 0x003ffffffffffc00

_pages = {}


class ReadError(gdb.GdbError):
    """The address is not mapped, or not memory."""


def forget():
    """The machine may have run: drop every page that was kept."""
    _pages.clear()


def _set_physical(on):
    connection = gdb.selected_inferior().connection
    if connection is None or not hasattr(connection, "send_packet"):
        raise gdb.GdbError("baton: not attached to a machine; use `target remote`")
    if connection.send_packet(f"Qqemu.PhyMemMode:{on}") != b"OK":
        raise gdb.GdbError("baton: the target is not QEMU: it has no physical memory mode")


def _fetch(address, size):
    _set_physical(1)
    try:
        return bytes(gdb.selected_inferior().read_memory(address, size))
    except gdb.MemoryError:
        raise ReadError(f"baton: no memory at physical address {address:#x}") from None
    finally:
        _set_physical(0)


def read_physical(address, size):
    first, last = address // PAGE_BYTES, (address + size - 1) // PAGE_BYTES
    if any(page not in _pages for page in range(first, last + 1)):
        data = _fetch(first * PAGE_BYTES, (last + 1 - first) * PAGE_BYTES)
        for page in range(first, last + 1):
            start = (page - first) * PAGE_BYTES
            _pages[page] = data[start:start + PAGE_BYTES]
    start = address - first * PAGE_BYTES
    return b"".join(_pages[page] for page in range(first, last + 1))[start:start + size]


def translate(root, address):
    """The physical address behind a virtual one in the Sv39 table at `root`."""
    if not -(1 << 38) <= address - (1 << 64 if address >> 63 else 0) < 1 << 38:
        raise ReadError(f"baton: {address:#x} is no address")
    table = root
    for level in (2, 1, 0):
        index = (address >> (12 + 9 * level)) % TABLE_ENTRIES
        entry, = struct.unpack("<Q", read_physical(table + 8 * index, 8))
        if not entry & PTE_VALID:
            break
        table = (entry & PTE_ADDRESS) << 2
        if entry & PTE_LEAF:
            return table + address % (PAGE_BYTES << (9 * level))
    raise ReadError(f"baton: nothing is mapped at {address:#x}")


class Space:
    """What one address space sees."""

    def __init__(self, root):
        self.root = root

    def locate(self, address):
        return translate(self.root, address)

    def read(self, address, size):
        parts = []
        while size > 0:
            part = min(size, PAGE_BYTES - address % PAGE_BYTES)
            parts.append(read_physical(self.locate(address), part))
            address, size = address + part, size - part
        return b"".join(parts)

    def word(self, address):
        return struct.unpack("<Q", self.read(address, 8))[0]


class KernelSpace(Space):
    """The kernel's half; image and direct map are linear, so they can be read before tables stand."""

    def __init__(self):
        super().__init__(int(gdb.parse_and_eval("&mmu_root")) - constant("KERNEL_OFFSET"))

    def locate(self, address):
        if address >= constant("KERNEL_VIRTUAL_BASE"):
            return address - constant("KERNEL_OFFSET")
        base = constant("DIRECT_MAP_BASE")
        if base <= address < base + constant("DIRECT_MAP_BYTES"):
            return address - base
        return translate(self.root, address)
