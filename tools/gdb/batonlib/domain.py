# SPDX-License-Identifier: MIT
"""Domains, and the memory that their code sees."""

from . import kernel
from .memory import Space

ACCOUNT_LIMIT_SHOWN = 1 << 52  # an account without a limit is shown as '-'


class Domain:
    def __init__(self, address, structure=None):
        if structure is None:
            structure = kernel.load("struct domain", address)
        self.address = address
        self.id = int(structure["id"])
        self.name = kernel.text(structure["name"])
        self.state = kernel.enumerator(structure["state"], "domain_state", "DOMAIN_")
        self.thread_count = int(structure["thread_count"])
        self.account = int(structure["account"])
        # Not structure["account"]["pages"]: gdb would read through the pointer with the eyes of a core.
        account = kernel.load("struct account", self.account)
        self.pages = int(account["pages"])
        self.limit = int(account["limit"])
        self.vspace = int(structure["vspace"])

    def __str__(self):
        return f"domain {self.id} ({self.name})"

    def is_kernel(self):
        return self.vspace == 0 and self.address == kernel.address_of("kernel_domain")

    def space(self):
        """Its memory, or None when it has none (any more)."""
        return Space(int(kernel.load("struct vspace", self.vspace)["root"])) if self.vspace else None

    def port_count(self):
        head = self.address + kernel.offset_of("struct domain", "ports")
        return sum(1 for _ in kernel.walk(head, "struct port", "domain_link"))


def all_domains():
    return [Domain(*pair) for pair in kernel.walk_long("'sched/domain.c'::all_domains", "struct domain", "all_link")]


def table():
    rows = [("ID", "NAME", "STATE", "THREADS", "PORTS", "PAGES", "LIMIT")]
    for domain in all_domains():
        limit = domain.limit if domain.limit < ACCOUNT_LIMIT_SHOWN else "-"
        rows.append((domain.id, domain.name, domain.state, domain.thread_count, domain.port_count(),
                     domain.pages, limit))
    return rows
