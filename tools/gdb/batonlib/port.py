# SPDX-License-Identifier: MIT
"""Ports, their baton words and their names."""

import struct

import gdb

from . import kernel
from .domain import Domain
from .memory import KernelSpace
from .thread import Thread, all_threads

# The baton word (ipc/word.h).
RUN, CLOSED, ONE_RUN, BACKLOG, ONE_ARRIVAL, HEAD_SHIFT, RECORD_SHIFT = 1, 2, 4, 256, 512, 29, 4
KINDS = {-1: "kernel service", 0: "user service", 1: "user service (no ASID)", 2: "mailbox",
         3: "concurrent user service", 4: "concurrent kernel service"}
MAILBOX = 2
TABLE = "'ipc/port.c'::port_table"  # slots of two words: the port, its generation


def decode_word(word, waiters):
    parts = [name for bit, name in ((RUN, "run"), (CLOSED, "closed")) if word & bit]
    runs = word % BACKLOG // ONE_RUN
    if runs:
        parts.append(f"{runs} run" + ("s" if runs > 1 else ""))
    if waiters:
        parts.append(f"{waiters} waiter" + ("s" if waiters > 1 else ""))
    return " ".join(parts) or "idle"


def arrivals(word):
    """How many arrived and were not absorbed."""
    return word % (1 << HEAD_SHIFT) // ONE_ARRIVAL


def newest_arrival(word):
    """The address of the record that arrived last and was not absorbed, or 0."""
    bits = 64 - HEAD_SHIFT + RECORD_SHIFT
    head = word >> HEAD_SHIFT << RECORD_SHIFT
    return head | ~((1 << bits) - 1) & (1 << 64) - 1 if head else 0


def records(address):
    """Addresses of queue records, from this one on along their links."""
    found = []
    while address and address not in found:
        found.append(address)
        address = int(kernel.load("struct queue_record", address)["next"])
    return found


class Request:
    """A caller that waits (ipc/baton.h)."""

    def __init__(self, address):
        structure = kernel.load("struct baton_request", address)
        self.thread = Thread(int(structure["thread"]))
        self.domain = Domain(int(structure["caller"]))
        self.badge = int(structure["badge"])
        self.state = kernel.enumerator(structure["state"], "request_state", "REQUEST_")


class Letter:
    """A message that nobody waits for (ipc/letter.h)."""

    def __init__(self, address):
        structure = kernel.load("struct letter", address)
        self.sender = Domain(int(structure["sender"]))
        self.badge = int(structure["badge"])
        self.label = int(structure["message"]["tag"]) >> 32
        self.wants_result = int(structure["result"]) != 0


def is_letter(address):
    return bool(kernel.load("struct queue_record", address)["is_letter"])


class Port:
    def __init__(self, address):
        structure = kernel.load("struct port", address)
        self.address = address
        self.index = int(structure["index"])
        self.generation = int(structure["generation"])
        self.domain = Domain(int(structure["domain"]))
        self.kind = KINDS.get(int(structure["mode"]), "?")
        self.word = int(structure["word"])
        self.slots = slots_of(structure)
        self.holders = [int(structure["holder"])]
        self.calls = int(structure["calls"])
        if self.slots:
            self.holders = [int(slot["holder"]) for slot in self.slots]
            self.calls = sum(int(slot["calls"]) for slot in self.slots)
        self.is_mailbox = int(structure["mode"]) == MAILBOX
        self.line = int(structure["queue"]["first"])
        self.queued = int(structure["queue"]["count"])
        if not self.is_mailbox:
            self.queued += arrivals(self.word)
        self.front = int(structure["front"])
        self.stack_top = int(structure["stack"]["top"])

    def names(self):
        head = self.address + kernel.offset_of("struct port", "names")
        return [name_text(name) for name, _ in kernel.walk(head, "struct name", "port_link")]

    def __str__(self):
        return f"port {self.index} ({', '.join(self.names()) or 'no name'})"

    def word_text(self):
        return decode_word(self.word, 0 if self.is_mailbox else self.queued)

    def holder_text(self):
        return ", ".join(thread_text(holder) for holder in self.holders if holder) or "-"

    def waiting(self):
        """Callers and letters, oldest first: the line, then the arrivals, which are linked newest first."""
        arrived = [] if self.is_mailbox else records(newest_arrival(self.word))[::-1]
        return [Letter(address) if is_letter(address) else Request(address)
                for address in records(self.line) + arrived]


def slots_of(structure):
    """The slots of a concurrent service; none of another."""
    address = int(structure["slots"])
    size = gdb.lookup_type("struct run_slot").sizeof
    return [kernel.load("struct run_slot", address + i * size) for i in range(int(structure["slot_count"]))]


def thread_text(address):
    thread = Thread(address)
    return f"{thread.id} {thread.name}"


def find(number):
    """The port with an index."""
    for port in all_ports():
        if port.index == number:
            return port
    raise gdb.GdbError(f"baton: no port has index {number}; `baton ports` lists them")


def describe(port):
    """The lines that `baton port` prints."""
    lines = [f"{port}: {port.kind} of {port.domain.id} {port.domain.name}, {port.word_text()}",
             f"held by: {port.holder_text()}; {port.calls} calls so far"]
    for number, slot in enumerate(port.slots):
        holder = int(slot["holder"])
        lines.append(f"  slot {number}: {'thread ' + thread_text(holder) if holder else 'free'}, {int(slot['calls'])} calls")
    for place, record in enumerate(port.waiting(), 1):
        if isinstance(record, Letter):
            lines.append(f"  {place}. letter of {record.sender.name}, label {record.label}, badge {record.badge:#x}"
                         f"{', wants a result' if record.wants_result else ''}")
        else:
            lines.append(f"  {place}. thread {record.thread.id} {record.thread.name}, for {record.domain.name}, "
                         f"badge {record.badge:#x}: {record.state}")
    if port.is_mailbox:
        lines.append(f"{port.queued} messages wait")
        lines += mailbox_lines(port)
    return lines


FRONT_BUSY = 1


def mailbox_lines(port):
    """What is in the line of a mailbox, who waits for it in front, and whose calls its domain serves."""
    lines = []
    for place, address in enumerate(records(port.line), 1):
        mail = kernel.load("struct mail", address)
        caller = int(mail["caller"])
        lines.append(f"  {place}. " + (f"call of thread {thread_text(caller)}" if caller else "letter")
                     + f", badge {int(mail['badge']):#x}")
    if port.front > FRONT_BUSY:
        lines.append(f"thread {thread_text(port.front)} waits in front")
    for thread, domain in served():
        if domain.address == port.domain.address:
            lines.append(f"thread {thread.id} {thread.name} waits for a reply of {domain.id} {domain.name}")
    return lines


def served():
    """[(thread, domain)] of those whose call of a mailbox was received and not replied to."""
    found = []
    for thread in all_threads():
        call = thread.structure["rendezvous"]
        if int(call["token"]):
            found.append((thread, Domain(int(call["server"]))))
    return found


def waiting():
    """[(thread, port it waits for, its holder or None)] of all that wait for a baton, or for a slot: one a holder."""
    found = []
    for thread in all_threads():
        address = int(thread.structure["waiting_for"])
        if address:
            port = Port(address)
            holders = [Thread(holder) for holder in port.holders if holder]
            found += [(thread, port, holder) for holder in holders or [None]]
    return found


def is_ring(start, edges):
    """Does the way from `start` along {thread: thread} come back to it?"""
    at, seen = edges.get(start), set()
    while at is not None and at not in seen:
        if at == start:
            return True
        seen.add(at)
        at = edges.get(at)
    return False


def waits():
    rows = [("THREAD", "NAME", "PORT", "HOLDER", "HOLDER'S NAME", "RING")]
    found = waiting()
    edges = {thread.address: holder.address for thread, port, holder in found if holder and not port.slots}
    for thread, port, holder in found:
        rows.append((thread.id, thread.name, port, holder.id if holder else "-", holder.name if holder else "-",
                     "ring" if is_ring(thread.address, edges) else "-"))
    return rows


def all_ports():
    """Every port in the table, by index."""
    table_type = gdb.parse_and_eval(f"&{TABLE}").type.target()
    data = KernelSpace().read(kernel.address_of(TABLE), table_type.sizeof)
    return [Port(address) for address, _ in struct.iter_unpack("<QQ", data) if address]


def name_text(name):
    """The text of the struct name at an address; it lies behind the structure."""
    entry = name + kernel.offset_of("struct name", "entry")
    size = int(kernel.load("struct name_entry", entry)["bytes"])
    text = KernelSpace().read(entry + kernel.offset_of("struct name_entry", "text"), size)
    return text.decode("ascii", "replace")


def names_table():
    rows = [("NAME", "PORT", "DOMAIN")]
    rows += sorted((name, port.index, f"{port.domain.id} {port.domain.name}")
                   for port in all_ports() for name in port.names())
    return rows


def table():
    rows = [("INDEX", "GENERATION", "DOMAIN", "KIND", "WORD", "HOLDER", "CALLS", "QUEUED", "NAMES")]
    for port in all_ports():
        rows.append((port.index, port.generation, f"{port.domain.id} {port.domain.name}", port.kind,
                     port.word_text(), port.holder_text(), port.calls, port.queued,
                     " ".join(port.names()) or "-"))
    return rows
