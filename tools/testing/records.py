# SPDX-License-Identifier: MIT
"""The tests in an ELF file, read from their section: a plan that needs no run of the program."""

import struct

from elffile import ElfFile, PT_LOAD


class Memory:
    """The initial memory of an ELF file, by virtual address."""

    def __init__(self, elf):
        self.elf = elf

    def read(self, address, size):
        for segment in self.elf.segments:
            if segment.type == PT_LOAD and 0 <= address - segment.vaddr < segment.filesz:
                start = segment.offset + address - segment.vaddr
                return self.elf.data[start:start + size]
        raise ValueError(f"{address:#x} is in no segment")

    def text(self, address):
        data = self.read(address, 256)
        return data[:data.index(b"\0")].decode()


def read_records(path, start_symbol, stop_symbol, size):
    """The records between two symbols, each as a tuple of its 64-bit words."""
    elf = ElfFile(path)
    values = {symbol.name: symbol.value for symbol in elf.symbols()}
    start, stop = values.get(start_symbol, 0), values.get(stop_symbol, 0)
    memory = Memory(elf)
    data = memory.read(start, stop - start) if stop > start else b""
    return memory, [struct.unpack_from(f"<{size // 8}Q", data, offset)
                    for offset in range(0, len(data), size)]


def kernel_tests(path):
    """Names of the in-kernel tests (tests/test.h), in the order of their plan."""
    memory, records = read_records(path, "__start_baton_tests", "__stop_baton_tests", 32)
    names = [f"{memory.text(record[0])}.{memory.text(record[1])}" for record in records]
    return [name for name in names if not name.startswith("selftest.")]


def kernel_tortures(path):
    """{name: what it does} of the tortures (tests/kernel/torture.h), in the order of the image."""
    memory, records = read_records(path, "__start_baton_tortures", "__stop_baton_tortures", 24)
    found = {memory.text(record[0]): memory.text(record[1]) for record in records}
    return {name: text for name, text in found.items() if not name.startswith("selftest")}


def user_tests(path):
    """Names of the tests in a user program (user/lib/test.h), in the order of their plan."""
    memory, records = read_records(path, "__tests_start", "__tests_end", 16)
    return [memory.text(record[0]) for record in records]
