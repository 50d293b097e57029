# SPDX-License-Identifier: MIT
"""`baton mem`: NUMA nodes, the cores' stocks of pages, size classes, and who pays; the view of the shell's `mem`."""

from collections import Counter

import gdb

from . import frames, kernel
from .domain import ACCOUNT_LIMIT_SHOWN, all_domains
from .memory import PAGE_BYTES
from .slab import Slab

KIB = 1024


def order_title(order):
    kib = PAGE_BYTES // KIB << order
    return f"{kib // KIB}M" if kib >= KIB else f"{kib}K"


def nodes():
    table = kernel.load_variable("frame_nodes")
    orders = range(frames.max_order() + 1)
    rows = [("NODE", "TOTAL-KIB", "FREE-KIB", "RESERVE") + tuple(order_title(order) for order in orders)]
    for number in range(int(kernel.load_variable("frame_node_count"))):
        node = table[number]
        pages = [int(node[name]) for name in ("total_pages", "free_pages", "reserve")]
        rows.append((number, *(count * PAGE_BYTES // KIB for count in pages),
                     *(int(node["blocks"][order]) for order in orders)))
    return rows


def nexuses():
    size = gdb.lookup_type("struct nexus").sizeof
    base = kernel.address_of("nexuses")
    rows = [("CORE", "CACHED", "IN-USE", "WAITING", "OUTGOING", "REFILLS", "TAKEN", "GIVEN", "REMOTE-IN",
             "REMOTE-OUT")]
    for core in range(int(kernel.load_variable("platform.core_count"))):
        nexus = kernel.load("struct nexus", base + core * size)
        counters = {name: int(nexus["counters"][name])
                    for name in ("refills", "taken", "given", "remote_in", "remote_out")}
        cached, waiting = int(nexus["cached"]), int(nexus["inbox"]["count"])
        in_use = counters["taken"] - counters["given"] - cached - waiting
        rows.append((core, cached, max(in_use, 0), waiting, int(nexus["counters"]["outgoing"]), *counters.values()))
    return rows


def survey():
    """(slabs, large objects): the records of all frames that are no free ones, taken apart."""
    slabs, large = [], []
    for frame in frames.all_frames():
        if frame.state in ("slab", "slab full"):
            slabs.append(Slab(frame))
        elif frame.state == "large":
            large.append(frame)
    return slabs, large


def classes(slabs, large):
    """A row for each size; the last one for larger objects, in pages of their own."""
    table = kernel.load_variable("spmalloc_class_bytes")
    first, last = table.type.range()
    rows = [("BYTES", "PAGES", "IN-USE", "CAPACITY", "WASTE")]
    for number in range(first, last + 1):
        mine = [slab for slab in slabs if slab.size_class == number]
        size, used = int(table[number]), sum(slab.objects for slab in mine)
        rows.append((size, len(mine), used, sum(slab.capacity for slab in mine), len(mine) * PAGE_BYTES - used * size))
    rows.append(("-", sum(frame.bytes() // PAGE_BYTES for frame in large), len(large), len(large), 0))
    return rows


def accounts(slabs, large):
    objects = Counter(frames.large_account(frame) for frame in large)
    for slab in slabs:
        objects[slab.account()] += slab.objects
    rows = [("DOMAIN", "NAME", "PAGES", "LIMIT", "OBJECTS")]
    for domain in all_domains():
        limit = domain.limit if domain.limit < ACCOUNT_LIMIT_SHOWN else "-"
        rows.append((domain.id, domain.name, domain.pages, limit, objects[domain.account]))
    return rows


def tables():
    slabs, large = survey()
    return nodes(), nexuses(), classes(slabs, large), accounts(slabs, large)
