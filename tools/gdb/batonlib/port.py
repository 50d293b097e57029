# SPDX-License-Identifier: MIT
"""Ports, their baton words and their names."""

import struct

import gdb

from . import kernel
from .domain import Domain
from .memory import KernelSpace
from .thread import Thread

# The baton word (ipc/port.h).
RUN, CLOSED, ONE_WAITER = 1, 2, 256
KINDS = {-1: "kernel service", 0: "user service", 1: "mailbox", 2: "user service (no ASID)"}
TABLE = "'ipc/port.c'::port_table"  # slots of two words: the port, its generation


def decode_word(word):
    parts = [name for bit, name in ((RUN, "run"), (CLOSED, "closed")) if word & bit]
    waiters = word // ONE_WAITER
    if waiters:
        parts.append(f"{waiters} waiter" + ("s" if waiters > 1 else ""))
    return " ".join(parts) or "idle"


class Port:
    def __init__(self, address):
        structure = kernel.load("struct port", address)
        self.address = address
        self.index = int(structure["index"])
        self.generation = int(structure["generation"])
        self.domain = Domain(int(structure["domain"]))
        self.kind = KINDS.get(int(structure["mode"]), "?")
        self.word = int(structure["word"])
        self.holder = int(structure["holder"])
        self.calls = int(structure["calls"])
        self.queued = int(structure["queue"]["count"])
        self.stack_top = int(structure["stack_top"])

    def names(self):
        return [text for address, text in all_names() if address == self.address]

    def __str__(self):
        return f"port {self.index} ({', '.join(self.names()) or 'no name'})"

    def holder_text(self):
        if self.holder == 0:
            return "-"
        thread = Thread(self.holder)
        return f"{thread.id} {thread.name}"


def all_ports():
    """Every port in the table, by index."""
    table_type = gdb.parse_and_eval(f"&{TABLE}").type.target()
    data = KernelSpace().read(kernel.address_of(TABLE), table_type.sizeof)
    return [Port(address) for address, _ in struct.iter_unpack("<QQ", data) if address]


def all_names():
    """(address of the port, name) of every name."""
    head = kernel.address_of("'ipc/name.c'::names")
    return [(int(name["port"]), kernel.text(name["text"]))
            for _, name in kernel.walk(head, "struct name", "link")]


def table():
    rows = [("INDEX", "GENERATION", "DOMAIN", "KIND", "WORD", "HOLDER", "CALLS", "QUEUED", "NAMES")]
    for port in all_ports():
        rows.append((port.index, port.generation, f"{port.domain.id} {port.domain.name}", port.kind,
                     decode_word(port.word), port.holder_text(), port.calls, port.queued,
                     " ".join(port.names()) or "-"))
    return rows
