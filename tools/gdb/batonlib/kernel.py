# SPDX-License-Identifier: MIT
"""The kernel's structures as gdb values: by type and address, along lists, by the name of a variable."""

import gdb

from .memory import KernelSpace, ReadError

LIST_MAX = 20000


def address_of(variable):
    """The address of a kernel variable, as in address_of("'ipc/name.c'::names")."""
    try:
        return int(gdb.parse_and_eval(f"&{variable}"))
    except gdb.error:
        raise gdb.GdbError(f"baton: no symbol {variable}; "
                           "load build/<preset>/baton.elf with `file`") from None


def load(type_name, address):
    """A copy of the structure at `address`, readable in every mode of the cores."""
    kind = gdb.lookup_type(type_name)
    return gdb.Value(KernelSpace().read(int(address), kind.sizeof), kind)


def load_variable(variable):
    """A copy of a kernel variable."""
    address = address_of(variable)
    kind = gdb.parse_and_eval(f"&{variable}").type.target()
    return gdb.Value(KernelSpace().read(address, kind.sizeof), kind)


def offset_of(type_name, member):
    return next(field.bitpos // 8 for field in gdb.lookup_type(type_name).fields() if field.name == member)


def walk(head, type_name, member):
    """(address, copy) of each structure on the list whose head is at `head`."""
    offset = offset_of(type_name, member)
    link = int(load("struct list", head)["next"])
    for _ in range(LIST_MAX):
        if link in (head, 0):
            return
        structure = load(type_name, link - offset)
        yield link - offset, structure
        link = int(structure[member]["next"])
    raise ReadError(f"baton: the list of {type_name} has no end")


def walk_long(variable, type_name, member):
    """As walk, along a `struct long_list`; the marks of visits on their way are left out."""
    offset = offset_of(type_name, member)
    head = address_of(variable) + offset_of("struct long_list", "entries")
    for link, structure in walk(head, "struct long_list_link", "link"):
        if not structure["is_mark"]:
            yield link - offset, load(type_name, link - offset)


def text(array):
    """A char array up to its zero."""
    kind = array.type.range()
    data = bytes(int(array[i]) & 0xff for i in range(kind[0], kind[1] + 1))
    return data.split(b"\0")[0].decode(errors="replace")


def enumerator(value, kind, prefix):
    """The name of a number in `enum kind`, in lower case and without its prefix."""
    for field in gdb.lookup_type(f"enum {kind}").fields():
        if field.enumval == int(value):
            return field.name.removeprefix(prefix).lower().replace("_", " ")
    return str(int(value))


def bits(value, kind, prefix):
    """The names of the bits of `enum kind` that are set; '-' for none."""
    names = [field.name.removeprefix(prefix).lower() for field in gdb.lookup_type(f"enum {kind}").fields()
             if int(value) & field.enumval]
    return " ".join(names) or "-"
