# SPDX-License-Identifier: MIT
"""Whole sessions of the debugger, each with a machine of its own; the fixture of the folder is not used."""

import os
import sys
import time

import paths
from testing.session import Debugger, Terminal

PRESET = "debug"
PROMPT = r"[(]gdb[)] "
SETTLE_S = 60
WORDS = ("cores", "threads", "ports", "domains", "mem", "port 0", "waits", "notifications", "bt 1", "page kernel_domain.account")


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


def test_port_and_waits_show_a_line_of_callers(_):
    """A machine that runs selftest.waits: one thread sleeps inside the service, three wait behind it."""
    gdb = Debugger(preset=PRESET, stopped=True, append="test=selftest.waits")
    try:
        end = time.monotonic() + SETTLE_S
        while "3 waiters" not in answer(gdb, "ports"):
            assert time.monotonic() < end, "the line was never long enough"
            gdb.send("continue\n")
            gdb.expect("Continuing")
            gdb.send("\x03")
            gdb.expect(PROMPT)
        index = next(line.split()[0] for line in answer(gdb, "ports").splitlines() if "3 waiters" in line)
        text = answer(gdb, f"port {index}")
        lines = [line.strip() for line in text.splitlines() if line.strip()[:2] in ("1.", "2.", "3.")]
        assert len(lines) == 3 and all("for kernel" in line for line in lines), text
        order = [int(line.split()[2]) for line in lines]
        assert order == sorted(order), text  # they were started one after the other
        text = answer(gdb, "waits")
        assert text.count(f"port {index} (no name)") == 3 and "ring" not in text.replace("RING", ""), text
        assert "no port has index" in answer(gdb, "port 16000")
        assert "which port?" in answer(gdb, "port shell")
    finally:
        gdb.close()


def test_notifications_show_bits_waiters_and_what_is_bound(_):
    """A machine that runs selftest.notifications: two threads wait, 0x800 is signalled, a mailbox signals 0x40."""
    gdb = Debugger(preset=PRESET, stopped=True, append="test=selftest.notifications")
    try:
        end = time.monotonic() + SETTLE_S
        while "mask 0x2000" not in answer(gdb, "notifications"):
            assert time.monotonic() < end, "nobody ever waited"
            gdb.send("continue\n")
            gdb.expect("Continuing")
            gdb.send("\x03")
            gdb.expect(PROMPT)
        row = next(line for line in answer(gdb, "notifications").splitlines() if "mask 0x2000" in line)
        assert row.index("mask 0x1000") < row.index("mask 0x2000") and " 0x800 " in row, row
        index = row.split("port ")[1].split()[0]
        assert row.rstrip().endswith(f"port {index} message 0x40"), row
        text = answer(gdb, f"port {index}")
        assert f"message: signals 0x40 of notification {row.split()[0]}" in text, text
    finally:
        gdb.close()


def test_port_and_waits_show_who_runs_in_each_slot(_):
    """A machine that runs selftest.slots: two threads sleep inside a concurrent service, one waits."""
    gdb = Debugger(preset=PRESET, stopped=True, append="test=selftest.slots")
    try:
        end = time.monotonic() + SETTLE_S
        while "2 runs 1 waiter" not in answer(gdb, "ports"):
            assert time.monotonic() < end, "the slots were never taken"
            gdb.send("continue\n")
            gdb.expect("Continuing")
            gdb.send("\x03")
            gdb.expect(PROMPT)
        index = next(line.split()[0] for line in answer(gdb, "ports").splitlines() if "2 runs 1 waiter" in line)
        text = answer(gdb, f"port {index}")
        assert "concurrent kernel service" in text, text
        inside = [line.split()[3] for line in text.splitlines() if line.strip().startswith("slot ")]
        assert len(set(inside)) == 2 and all(thread.isdigit() for thread in inside), text
        assert "1. thread" in text and "2. thread" not in text, text
        text = answer(gdb, "waits")
        rows = [line for line in text.splitlines() if f"port {index} (no name)" in line]
        assert sorted(row.split()[-3] for row in rows) == sorted(inside), text  # its name and the ring follow
    finally:
        gdb.close()


def answer(gdb, command):
    """What a command says; the machine goes on and is stopped again as long as its kernel has not started."""
    end = time.monotonic() + SETTLE_S
    while True:
        gdb.send(f"baton {command}\n")
        gdb.expect(PROMPT)
        text = gdb.child.before
        if "has not started yet" not in text:
            return text
        assert time.monotonic() < end, f"the kernel never started: {text}"
        gdb.send("continue\n")
        gdb.expect("Continuing")
        gdb.send("\x03")
        gdb.expect(PROMPT)


def test_make_gdb_attaches_interrupts_and_leaves(_):
    """`make gdb`: the helpers answer whenever it attaches, Ctrl-C stops the machine, quit ends it."""
    program = os.path.join(paths.ROOT, "tools", "run.py")
    line = ["env", f"PRESET={PRESET}", sys.executable, "-B", program, "--gdb"]
    gdb = Terminal(line, 60, "dumb")
    try:
        gdb.expect(PROMPT)
        for command in ("cores", "threads", "ports", "domains"):
            text = answer(gdb, command)
            assert "NAME" in text and "rror" not in text, text
        gdb.send("continue\n")
        gdb.expect("Continuing")
        gdb.send("\x03")
        gdb.expect(PROMPT)
        gdb.send("quit\n")
        code = gdb.wait_exit()
        assert code == 0, f"make gdb ended with {code}"
    finally:
        gdb.close()


def test_commands_say_in_one_line_that_the_kernel_has_not_started(_):
    """Not one instruction has run; then the machine goes on and everything is there."""
    gdb = Debugger(preset=PRESET, stopped=True)
    try:
        for word in WORDS:
            text = gdb.run(f"baton {word}")
            assert "the kernel has not started yet" in text and "`continue`" in text, f"{word}: {text}"
            assert len(text.splitlines()) == 1, f"{word}: {text}"
        gdb.send("continue\n")
        gdb.expect("Continuing")
        gdb.machine.until_prompt()
        gdb.send("\x03")
        gdb.until_prompt()
        assert "shell" in gdb.run("baton threads")
    finally:
        gdb.close()


def go_to(gdb, place, command="help"):
    """Until a core gets to the place; a command of the shell makes it go there."""
    gdb.run(f"hbreak {place}")
    gdb.send("continue\n")
    gdb.expect("Continuing")
    gdb.machine.send(command + "\r")
    gdb.until_prompt()
    gdb.run("delete")


def test_commands_answer_while_a_core_is_in_firmware(_):
    """Stopped in OpenSBI, whichever core gdb looks through."""
    gdb = Debugger(preset=PRESET)
    try:
        go_to(gdb, "*($mtvec & ~3)", "test call*")
        assert "= 3" in gdb.run("print $priv"), gdb.run("info threads")
        assert "Cannot access memory" in gdb.run("print kernel_domain.account")
        for core in (1, 2):
            gdb.run(f"thread {core}")
            for word in WORDS[:-2] + (WORDS[-1],):
                text = gdb.run(f"baton {word}")
                assert "baton: " not in text and "rror" not in text, f"{word}: {text}"
                assert f"Thread 1.{core}" in gdb.run("thread"), word
    finally:
        gdb.close()


def test_what_no_core_can_read_is_told_in_one_line(_):
    """The only core is in user mode: tables are there, an expression of the user's cannot be read."""
    gdb = Debugger(smp=1, preset=PRESET)
    try:
        gdb.run("baton symbols shell")
        go_to(gdb, "editor_read")
        assert "= 0" in gdb.run("print $priv"), gdb.run("info threads")
        assert "shell" in gdb.run("baton domains")
        text = gdb.run("baton page kernel_domain.account")
        assert "no core sees the kernel's memory" in text and "`continue`" in text, text
        assert len(text.splitlines()) == 1, text
    finally:
        gdb.close()
