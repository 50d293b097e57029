# SPDX-License-Identifier: MIT
"""Reads ELF64 little-endian files: segments, sections and symbols, with nothing but Python."""

import struct
from collections import namedtuple

Segment = namedtuple("Segment", "type flags offset vaddr paddr filesz memsz align")
Section = namedtuple("Section", "name type flags addr offset size link entsize")
Symbol = namedtuple("Symbol", "name value size info section")

PT_LOAD = 1
PT_TLS = 7
SHT_SYMTAB = 2
STT_FUNC = 2
STT_SECTION = 3
STT_FILE = 4


class ElfFile:
    """One ELF file, read whole."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path}: not a 64-bit little-endian ELF file")
        (self.entry, phoff, shoff, _, _, phsize, phnum, shsize, shnum, shstrndx) = struct.unpack_from(
            "<QQQIHHHHHH", self.data, 24)
        self.segments = []
        for index in range(phnum):
            kind, flags, offset, vaddr, paddr, filesz, memsz, align = struct.unpack_from(
                "<IIQQQQQQ", self.data, phoff + index * phsize)
            self.segments.append(Segment(kind, flags, offset, vaddr, paddr, filesz, memsz, align))
        raw = [struct.unpack_from("<IIQQQQIIQQ", self.data, shoff + index * shsize)
               for index in range(shnum)]
        names = raw[shstrndx][4] if shnum else 0
        self.sections = [
            Section(self._string(names + r[0]), r[1], r[2], r[3], r[4], r[5], r[6], r[9]) for r in raw]

    def _string(self, offset):
        return self.data[offset:self.data.index(b"\0", offset)].decode()

    def symbols(self):
        """All named symbols of the symbol table."""
        found = []
        for section in self.sections:
            if section.type != SHT_SYMTAB:
                continue
            strings = self.sections[section.link].offset
            for offset in range(section.offset, section.offset + section.size, 24):
                name, info, _, index, value, size = struct.unpack_from("<IBBHQQ", self.data, offset)
                if name:
                    found.append(Symbol(self._string(strings + name), value, size, info, index))
        return found

    def load_segments(self):
        """The LOAD segments, in the order of their physical addresses."""
        return sorted((s for s in self.segments if s.type == PT_LOAD), key=lambda s: s.paddr)
