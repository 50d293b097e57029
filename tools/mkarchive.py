#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a boot archive: cpio in the "newc" format, the same bytes for the same files.

Usage: mkarchive.py <archive> <name>=<file>...
"""

import sys

MODE_FILE = 0o100644
MAGIC = b"070701"


def member(inode, name, data, mode=MODE_FILE):
    """One member: header, name and data, each padded to four bytes."""
    encoded = name.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    header = MAGIC + b"".join(b"%08X" % field for field in fields)
    return pad(header + encoded) + pad(data)


def pad(data):
    return data + b"\0" * (-len(data) % 4)


def archive(members):
    """The archive of (name, data) pairs, in the order of their names."""
    body = b"".join(member(index + 1, name, data) for index, (name, data) in enumerate(sorted(members)))
    return body + member(0, "TRAILER!!!", b"", mode=0)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    members = []
    for argument in sys.argv[2:]:
        name, _, path = argument.partition("=")
        with open(path, "rb") as file:
            members.append((name, file.read()))
    names = [name for name, _ in members]
    if len(set(names)) != len(names):
        sys.exit("mkarchive: a name occurs twice")
    with open(sys.argv[1], "wb") as file:
        file.write(archive(members))


if __name__ == "__main__":
    main()
