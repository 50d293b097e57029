# SPDX-License-Identifier: MIT
"""`baton page ADDR [DOMAIN]`: what is known about the page behind an address."""

import gdb

from . import frames, kernel
from .constants import constant
from .domain import all_domains
from .memory import KernelSpace, PAGE_BYTES, translate
from .slab import Slab
from .view import evaluate

ADDRESS_TYPES = (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_ENUM)
USAGE = "Usage: baton page ADDR [DOMAIN]"


def parse(argument):
    """(address, domain or None) of a command line; the address may be any expression of gdb's."""
    words = gdb.string_to_argv(argument)
    if len(words) not in (1, 2):
        raise gdb.GdbError(f"baton: which page? An address, and for a user's its domain. {USAGE}")
    try:
        value = evaluate(words[0])
        if value.type.strip_typedefs().code not in ADDRESS_TYPES:
            raise gdb.GdbError(f"baton: '{words[0]}' is no address but a {value.type}; put & before it")
        address = int(value.cast(gdb.lookup_type("unsigned long")))
    except gdb.error as error:
        raise gdb.GdbError(f"baton: '{words[0]}' is no address: {error}") from None
    return address, find_domain(words[1]) if len(words) == 2 else None


def find_domain(number):
    domains = all_domains()
    for domain in domains:
        if str(domain.id) == number:
            return domain
    known = ", ".join(f"{domain.id} ({domain.name})" for domain in domains)
    raise gdb.GdbError(f"baton: there is no domain {number}; there are {known}")


def locate(address, domain):
    """(physical address, what the address is)."""
    if domain:
        space = domain.space()
        if space is None:
            raise gdb.GdbError(f"baton: {domain} has no memory of its own")
        if address >= constant("DIRECT_MAP_BASE"):
            raise gdb.GdbError(f"baton: {address:#x} is no user address; for the kernel's name no domain")
        return space.locate(address), f"user address of {domain}"
    if address >= constant("DIRECT_MAP_BASE"):
        where = "kernel pointer"
        if address < constant("DIRECT_MAP_BASE") + constant("DIRECT_MAP_BYTES"):
            where = "kernel pointer into the direct map"
        return translate(KernelSpace().root, address), where
    if not frames.is_memory(address):
        raise gdb.GdbError(f"baton: there is no memory at physical address {address:#x}; "
                           f"a user address needs its domain. {USAGE}")
    return address, "physical address"


WORDS = {
    "other": "not under management (firmware, kernel image, boot data), or inside a block",
    "free": "free",
    "allocated": "allocated block",
    "cached": "free, in stock",
    "page": "single page in use",
    "slab": "slab with a free object",
    "slab full": "slab without a free object",
    "large": "large object",
    "travelling": "free, on its way home",
}


def describe(argument):
    """The lines to print."""
    address, domain = parse(argument)
    physical, what = locate(address, domain)
    lines = [f"{address:#x}: {what}"]
    if not frames.is_memory(physical):
        return lines + [f"physical {physical:#x}: no memory of the kernel's (device registers?)"]
    frame = frames.find_block(physical)
    page = physical // PAGE_BYTES * PAGE_BYTES
    lines.append(f"physical {page:#x} + {physical - page:#x}, node {frame.node}, "
                 f"record {frames.record_address(page):#x}")
    lines.append(f"state    {WORDS.get(frame.state, f'not valid: {frame.state}')}")
    if frame.order or frame.state in ("free", "allocated", "large"):
        lines.append(f"block    order {frame.order}, {frame.bytes() // 1024} KiB from {frame.physical:#x}")
    if frame.state in ("cached", "page", "slab", "slab full", "travelling"):
        lines.append(f"owner    core {frame.owner}")
    if frame.state == "page":
        lines.append(f"references {frame.references}")
    return lines + describe_objects(frame, physical)


def describe_objects(frame, physical):
    """The lines about what the object allocator has there."""
    if frame.state == "large":
        offset = physical - frame.physical
        return [f"object   {int(frame.record['magic'])} bytes asked for, byte {offset} of it",
                f"account  {payer(frames.large_account(frame))}"]
    if frame.state in ("slab", "slab full"):
        slab = Slab(frame)
        return slab.describe(physical - frame.physical) + [f"account  {payer(slab.account())}"]
    return []


def payer(account):
    """The domain that an account is of."""
    if account == kernel.address_of("kernel_account"):
        return "the kernel's"
    for domain in all_domains():
        if domain.account == account:
            return str(domain)
    return f"{account:#x}, of no domain that lives"
