# SPDX-License-Identifier: MIT
"""Notifications: their bits, who waits for which, and the ports whose events signal them."""

from . import kernel
from .domain import all_domains
from .port import all_ports, thread_text

EVENTS = ("message", "high mark", "low mark")


def waiters(address):
    """[text] of those that wait, the longest waiting first; each lies on its thread's stack."""
    head = address + kernel.offset_of("struct notification", "waiters")
    return [f"thread {thread_text(int(waiter['thread']))} mask {int(waiter['mask']):#x}"
            for _, waiter in kernel.walk(head, "struct notification_waiter", "link")]


def bindings(port):
    """[(notification, bits, event)] of a port."""
    array = kernel.load("struct port", port.address)["bindings"]
    found = []
    for number, event in enumerate(EVENTS):
        if int(array[number]):
            binding = kernel.load("struct port_binding", int(array[number]))
            found.append((int(binding["notification"]), int(binding["bits"]), event))
    return found


def binding_lines(port):
    return [f"{event}: signals {bits:#x} of notification {address:#x}" for address, bits, event in bindings(port)]


def bound():
    """{notification: [text]}"""
    found = {}
    for port in all_ports():
        for address, bits, event in bindings(port):
            found.setdefault(address, []).append(f"port {port.index} {event} {bits:#x}")
    return found


def table():
    rows, sources = [("ADDRESS", "DOMAIN", "SIGNALLED", "WAITERS", "BOUND")], bound()
    for domain in all_domains():
        head = domain.address + kernel.offset_of("struct domain", "notifications")
        for address, structure in kernel.walk(head, "struct notification", "domain_link"):
            rows.append((f"{address:#x}", f"{domain.id} {domain.name}", f"{int(structure['word']['bits']):#x}",
                         ", ".join(waiters(address)) or "-", ", ".join(sources.get(address, [])) or "-"))
    return rows
