# SPDX-License-Identifier: MIT
"""Entry of the debugger's helpers: `source tools/gdb/baton.py` in gdb-multiarch gives `baton ...`."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

if HERE not in sys.path:
    sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
# Sourcing the file again takes changed modules.
for module in [name for name in sys.modules if name.split(".")[0] == "batonlib"]:
    del sys.modules[module]

from batonlib import commands  # noqa: E402  pylint: disable=wrong-import-position

commands.register()
