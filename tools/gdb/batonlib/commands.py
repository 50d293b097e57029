# SPDX-License-Identifier: MIT
"""The commands: `baton` and what stands behind each of its words."""

import gdb

from . import backtrace, core, domain, mem, memory, notification, page, port, program, thread, view


def print_table(rows):
    """Rows of cells, the first with the titles; numbers stand to the right."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts)]
    numeric = [len(column) > 1 and all(cell.isdigit() or cell == "-" for cell in column[1:])
               for column in zip(*texts)]
    for row in texts:
        cells = [cell.rjust(width) if right else cell.ljust(width)
                 for cell, width, right in zip(row, widths, numeric)]
        print("  ".join(cells).rstrip())


class Command(gdb.Command):
    """A word below `baton`; work(argument) does it. is_live: it looks at the machine."""

    def __init__(self, name, help_text, work, complete=gdb.COMPLETE_NONE, is_live=True):
        self.__doc__ = help_text
        self.work, self.is_live = work, is_live
        super().__init__(name, gdb.COMMAND_STATUS, complete)

    def invoke(self, argument, from_tty):
        memory.forget()
        try:
            if self.is_live:
                view.require_kernel()
            self.work(argument.strip())
        except gdb.error as error:
            raise gdb.GdbError(f"baton: {error}") from None


class Prefix(gdb.Command):
    """What Baton's kernel knows: cores, threads, ports, domains, mem, page ADDR, bt THREAD, symbols PROGRAM."""

    def __init__(self):
        super().__init__("baton", gdb.COMMAND_STATUS, gdb.COMPLETE_NONE, True)

    def invoke(self, argument, from_tty):
        gdb.execute("help baton")


def list_of(table):
    def work(argument):
        if argument:
            raise gdb.GdbError(f"baton: this command takes no argument, not '{argument}'")
        print_table(table())
    return work


def show_memory(argument):
    if argument:
        raise gdb.GdbError(f"baton: this command takes no argument, not '{argument}'")
    for number, rows in enumerate(mem.tables()):
        if number:
            print()
        print_table(rows)


def show_backtrace(argument):
    if not argument.isdigit():
        raise gdb.GdbError("baton: which thread? `baton bt THREAD` takes a number that `baton threads` lists")
    print("\n".join(backtrace.describe(thread.find(int(argument)))))


def show_port(argument):
    if not argument.isdigit():
        raise gdb.GdbError("baton: which port? `baton port INDEX` takes an index that `baton ports` lists")
    found = port.find(int(argument))
    print("\n".join(port.describe(found) + notification.binding_lines(found)))


def show_waits(argument):
    if argument:
        raise gdb.GdbError(f"baton: this command takes no argument, not '{argument}'")
    rows = port.waits()
    if len(rows) == 1:
        print("nobody waits for a baton")
    else:
        print_table(rows)


def register():
    Prefix()
    Command("baton cores", "Each core: its hart, its thread, depth of calls, pending work, idle or busy.",
            list_of(core.table))
    Command("baton threads", "Each thread: domain, name, state, class, core, depth of calls.", list_of(thread.table))
    Command("baton ports", "Each port: owner, kind, baton word, holder, calls, what is queued, names.",
            list_of(port.table))
    Command("baton names", "Each name: its port and the domain that owns it.", list_of(port.names_table))
    Command("baton port", "One port: its holder, and who waits in which order.", show_port)
    Command("baton waits", "Who waits for whose baton; rings are marked.", show_waits)
    Command("baton notifications", "Each notification: owner, bits that are signalled, who waits for which, what is bound to it.",
            list_of(notification.table))
    Command("baton domains", "Each domain: state, threads, ports, pages and their limit.",
            list_of(domain.table))
    Command("baton mem", "NUMA nodes with free blocks by size, each core's stock of pages, size classes, who pays.",
            show_memory)
    Command("baton page", "The page behind an address: state, owner, references, block, object, who pays.\n" + page.USAGE +
            "\nADDR is a physical address, a kernel pointer or, with DOMAIN, a user address; any expression of gdb's.",
            lambda argument: print("\n".join(page.describe(argument))))
    Command("baton bt", "Backtrace of a thread, running or not, down to the user code of each domain.\n"
            "Usage: baton bt THREAD", show_backtrace)
    Command("baton symbols", "Give gdb the symbols of one user program, or of none.\n"
            "Usage: baton symbols [PROGRAM]", program.choose, is_live=False)
