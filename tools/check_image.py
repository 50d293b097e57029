#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Asserts about the linked kernel image; run by the build, which fails with it.

- There is no TLS segment: the kernel has no thread-local storage.
- The lowest LOAD segment starts at the entry: QEMU jumps there, whatever the header says.
- No segment is both writable and executable.
- The symbol table linked in agrees with the symbols of the final image.
"""

import argparse
import sys

from elffile import ElfFile, PT_TLS
from mksymbols import text_symbols


def problems(image, first=None):
    """What is wrong with an image, as sentences; `first` is the image of the first link."""
    found = []
    if any(segment.type == PT_TLS for segment in image.segments):
        found.append("there is a TLS segment; the kernel must have no thread-local variables")
    loads = image.load_segments()
    if not loads:
        return found + ["there is no LOAD segment"]
    lowest = loads[0]
    if image.entry not in (lowest.paddr, lowest.vaddr):
        found.append(f"the lowest LOAD segment starts at {lowest.paddr:#x} "
                     f"(virtual {lowest.vaddr:#x}), but the entry is {image.entry:#x}")
    for segment in loads:
        if segment.flags & 3 == 3:
            found.append(f"the segment at {segment.vaddr:#x} is writable and executable")
    if first is not None and text_symbols(first) != text_symbols(image):
        found.append("the text moved between the two links; the symbol table is wrong")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image")
    parser.add_argument("--first", help="the image of the first link")
    arguments = parser.parse_args()
    found = problems(ElfFile(arguments.image), ElfFile(arguments.first) if arguments.first else None)
    for sentence in found:
        print(f"check_image: {arguments.image}: {sentence}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
