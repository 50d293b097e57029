# SPDX-License-Identifier: MIT
"""Boots of machines of all shapes, to the prompt and off again; each test has a machine of its own."""

import contextlib

from testing.session import Shell


@contextlib.contextmanager
def machine(**options):
    shell = Shell(**options)
    try:
        yield shell
    finally:
        shell.close()


def power_off(shell):
    shell.send("poweroff\r")
    code = shell.wait_exit(30)
    assert code == 0, f"poweroff ended with {code}"


def test_poweroff_ends_with_code_0():
    with machine() as shell:
        power_off(shell)


def test_panic_command_ends_with_code_2():
    """The report names the cause and the functions, and the exit code is 2."""
    with machine() as shell:
        shell.send("panic\r")
        code = shell.wait_exit(30)
        assert code == 2, f"panic ended with {code}"


def test_one_hart():
    with machine(smp=1) as shell:
        power_off(shell)


def test_eight_harts():
    with machine(smp=8) as shell:
        power_off(shell)


def test_64_megabytes():
    with machine(mem="64M") as shell:
        power_off(shell)


def test_4_gigabytes():
    with machine(mem="4G") as shell:
        power_off(shell)


def test_debug_build_boots_to_the_prompt():
    with machine(preset="debug", smp=4) as shell:
        power_off(shell)
