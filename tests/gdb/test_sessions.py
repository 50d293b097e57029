# SPDX-License-Identifier: MIT
"""Whole sessions of the debugger, each with a machine of its own; the fixture of the folder is not used."""

import os
import sys

import paths
from testing.session import Debugger, Terminal

PRESET = "debug"
PROMPT = r"[(]gdb[)] "


def test_poweroff_ends_with_code_0_after_a_debugger(_):
    gdb = Debugger(preset=PRESET)
    try:
        assert "shell" in gdb.run("baton threads")
        gdb.run("detach")
        gdb.machine.send("poweroff\r")
        code = gdb.machine.wait_exit()
        assert code == 0, f"poweroff ended with {code}"
    finally:
        gdb.close()


def test_make_gdb_attaches_interrupts_and_leaves(_):
    """`make gdb`: the helpers answer whenever it attaches, Ctrl-C stops the machine, quit ends it."""
    program = os.path.join(paths.ROOT, "tools", "run.py")
    line = ["env", f"PRESET={PRESET}", sys.executable, "-B", program, "--gdb"]
    gdb = Terminal(line, 60, "dumb")
    try:
        gdb.expect(PROMPT)
        for command in ("cores", "threads", "ports", "domains"):
            gdb.send(f"baton {command}\n")
            gdb.expect(PROMPT)
            assert "NAME" in gdb.child.before and "rror" not in gdb.child.before, gdb.child.before
        gdb.send("continue\n")
        gdb.expect("Continuing")
        gdb.send("\x03")
        gdb.expect(PROMPT)
        gdb.send("quit\n")
        code = gdb.wait_exit()
        assert code == 0, f"make gdb ended with {code}"
    finally:
        gdb.close()
