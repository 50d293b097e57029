# SPDX-License-Identifier: MIT
"""Cores: the per-core blocks, and the registers of the harts that gdb shows as threads."""

from collections import namedtuple

import gdb

from . import kernel

MODES = {0: "user", 1: "kernel", 3: "firmware"}

SSTATUS_SPP = 1 << 8

Registers = namedtuple("Registers", "pc sp fp ra tp mode")


class Core:
    def __init__(self, cpu):
        kind = gdb.lookup_type("struct core")
        self.cpu = cpu
        structure = kernel.load("struct core", kernel.address_of("cores") + cpu * kind.sizeof)
        self.hart = int(structure["hart_id"])
        self.current = int(structure["current"])
        self.activation = int(structure["activation"])
        self.work = kernel.bits(structure["work"], "core_work", "WORK_")
        self.online = int(structure["online"]) != 0

    def idle_thread(self):
        """Address of the thread that runs when nothing else is ready."""
        size = gdb.lookup_type("struct runqueue").sizeof
        return int(kernel.load("struct runqueue", kernel.address_of("runqueues") + self.cpu * size)["idle"])

    def is_idle(self):
        return self.online and self.current == self.idle_thread()


def all_cores():
    count = int(kernel.load_variable("platform.core_count"))
    return [Core(cpu) for cpu in range(count)]


def registers_of(values):
    mode = MODES.get(values["priv"] & 3, "?")
    pc = values["pc"]
    if pc == kernel.address_of("trap_entry"):
        # The first instruction of a trap: everything else is still what was interrupted.
        pc = values["sepc"]
        mode = "kernel" if values["sstatus"] & SSTATUS_SPP else "user"
    return Registers(pc, values["sp"], values["fp"], values["ra"], values["tp"], mode)


def all_registers():
    """{hart id: Registers} of every hart; the selected thread and frame stay as they are."""
    chosen, frame = gdb.selected_thread(), gdb.selected_frame()
    found = {}
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            read = gdb.newest_frame().read_register
            values = {name: int(read(name)) % (1 << 64)
                      for name in ("pc", "sp", "fp", "ra", "tp", "mhartid", "priv", "sepc", "sstatus")}
            found[values["mhartid"]] = registers_of(values)
    finally:
        chosen.switch()
        if frame.is_valid():
            frame.select()
    return found


def table():
    from .thread import Thread  # a thread knows its core
    registers = all_registers()
    rows = [("CORE", "HART", "THREAD", "NAME", "DEPTH", "WORK", "STATE")]
    for core in all_cores():
        if not core.online or core.current == 0:
            rows.append((core.cpu, core.hart, "-", "-", "-", "-", "offline"))
            continue
        thread = Thread(core.current)
        mode = registers[core.hart].mode if core.hart in registers else "?"
        state = "idle" if core.is_idle() else f"busy, in {mode}"
        rows.append((core.cpu, core.hart, thread.id, thread.name, thread.depth(), core.work, state))
    return rows
