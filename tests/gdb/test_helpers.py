# SPDX-License-Identifier: MIT
"""The helpers of tools/gdb, against a live kernel that waits at its shell."""


def test_cores_lists_each_core(gdb):
    text = gdb.run("baton cores")
    assert "Error" not in text and "Undefined" not in text, text
    assert len([line for line in text.splitlines() if line.split()[:1] in (["0"], ["1"])]) == 2, text


def test_threads_names_the_shell(gdb):
    text = gdb.run("baton threads")
    assert "shell" in text, text


def test_ports_names_the_services(gdb):
    text = gdb.run("baton ports")
    assert "console" in text and "lookup" in text, text


def test_backtrace_of_a_blocked_thread_reaches_its_user_frames(gdb):
    """The shell waits for input inside a call: its backtrace goes from the kernel to main()."""
    shell = [line for line in gdb.run("baton threads").splitlines() if "shell" in line]
    assert shell, "no thread of the shell"
    text = gdb.run(f"baton bt {shell[0].split()[0]}")
    assert "main" in text, text
