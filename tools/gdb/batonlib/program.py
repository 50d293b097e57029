# SPDX-License-Identifier: MIT
"""The user program whose symbols gdb itself has, for breakpoints and lines in its code."""

import contextlib
import os

import gdb

from .symbols import program_folder

_chosen = None


def available():
    """The names of all programs that were built."""
    folder = program_folder()
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def choose(name):
    """Gives gdb the symbols of one program in place of the last; an empty name gives none."""
    global _chosen  # gdb has one symbol table, too
    if name and name not in available():
        raise gdb.GdbError(f"baton: there is no program {name}; there are {', '.join(available())}")
    if _chosen:
        with contextlib.suppress(gdb.error):  # the user may have removed it
            gdb.execute(f'remove-symbol-file "{_chosen}"', to_string=True)
        _chosen = None
    if name:
        path = os.path.join(program_folder(), name)
        gdb.execute(f'add-symbol-file "{path}"', to_string=True)
        _chosen = path
    print(f"gdb knows the user code of: {name or 'no program'}")
