# SPDX-License-Identifier: MIT
"""Threads and the activations on them."""

import gdb

from . import kernel
from .constants import constant
from .core import all_cores
from .domain import Domain


class Activation:
    """One record of a thread's chain (sched/activation.h)."""

    def __init__(self, address):
        structure = kernel.load("struct activation", address)
        self.address = address
        self.previous = int(structure["previous"])
        self.domain = Domain(int(structure["domain"]))
        self.port = int(structure["port"])
        self.kind = kernel.enumerator(structure["kind"], "activation_kind", "ACTIVATION_")
        self.depth = constant("MAX_CALL_DEPTH") - int(structure["calls_left"])
        self.stack = int(structure["stack"])
        self.return_pc = int(structure["return_pc"])
        self.return_sp = int(structure["return_sp"])
        self.return_tp = int(structure["return_tp"])


class Thread:
    def __init__(self, address, structure=None):
        if structure is None:
            structure = kernel.load("struct thread", address)
        self.address = address
        self.structure = structure
        self.id = int(structure["id"])
        self.name = kernel.text(structure["name"])
        self.state = kernel.enumerator(structure["state"], "thread_state", "THREAD_")
        self.cpu = int(structure["cpu"])
        self.rank = int(structure["rank"])
        self.domain = Domain(int(structure["domain"]))

    def core(self):
        """The core that it is current on, or None."""
        return next((core for core in all_cores() if core.online and core.current == self.address), None)

    def activation(self):
        """The innermost one; a running thread's is in its core."""
        core = self.core()
        return Activation(core.activation if core else int(self.structure["activation"]))

    def scheduling(self):
        """Its class and priority, with what it is lent: sched/runqueue_priv.h."""
        return ("idle", "shares")[self.rank] if self.rank < 2 else f"rt {self.rank - 2}"

    def depth(self):
        return self.activation().depth


def all_threads():
    """Every thread that was started and has not ended, oldest first."""
    return [Thread(*pair) for pair in kernel.walk_long("'sched/thread.c'::all_threads", "struct thread", "all_link")]


def find(number):
    """The thread with an id, the cores' idle threads included."""
    threads = all_threads() + [Thread(core.idle_thread()) for core in all_cores() if core.online]
    for thread in threads:
        if thread.id == number:
            return thread
    known = ", ".join(f"{thread.id} ({thread.name})" for thread in sorted(threads, key=lambda t: t.id))
    raise gdb.GdbError(f"baton: there is no thread {number}; there are {known}")


def table():
    rows = [("ID", "DOMAIN", "NAME", "STATE", "CLASS", "CORE", "DEPTH")]
    for thread in all_threads():
        rows.append((thread.id, f"{thread.domain.id} {thread.domain.name}", thread.name, thread.state,
                     thread.scheduling(), thread.cpu, thread.depth()))
    return rows
