# SPDX-License-Identifier: MIT
"""The QEMU command of every stage, and a batch run that reads the console line by line."""

import os
import selectors
import subprocess
import time

import paths

# The exit codes of the machine; the host adds its own for a time-out.
EXIT_OK = 0
EXIT_FAILED = 1
EXIT_PANIC = 2
EXIT_LOCKUP = 3
EXIT_TIMEOUT = 124

MEANING = {
    EXIT_OK: "ended normally",
    EXIT_FAILED: "a test failed",
    EXIT_PANIC: "panic",
    EXIT_LOCKUP: "lock-up",
    EXIT_TIMEOUT: "time-out",
}

# One instruction is one nanosecond of guest time.
ICOUNT = ["-icount", "shift=0,align=off,sleep=off"]


def program():
    """The QEMU that the user chose, or the system's."""
    return os.environ.get("QEMU") or "qemu-system-riscv64"


def qemu10():
    """(program, None), or (None, why there is no QEMU 10)."""
    try:
        with open(os.path.join(paths.QEMU10, "state"), encoding="utf-8") as file:
            state = file.read().strip()
    except OSError:
        state = "not set up; run make setup"
    if state == "ok":
        return os.path.join(paths.QEMU10, "qemu"), None
    return None, f"no QEMU 10: {state}"


def seeded(seed):
    """Arguments that make QEMU 10 run several harts bit for bit the same for a seed."""
    return ICOUNT + ["-seed", str(seed), "-rtc", "base=2020-01-01,clock=vm"]


def command(preset="release", smp=4, mem="512M", append="", extra=(), qemu=None, kernel=None,
            initrd=None):
    """The whole command. `kernel` and `initrd` replace the preset's files; initrd="" is none."""
    line = [qemu or program(), "-machine", "virt", "-cpu", "rv64", "-smp", str(smp), "-m", str(mem),
            "-nographic", "-no-reboot", "-kernel", kernel or paths.kernel(preset)]
    initrd = paths.archive(preset) if initrd is None else initrd
    if initrd:
        line += ["-initrd", initrd]
    if append:
        line += ["-append", append]
    return line + list(extra)


def batch(line, on_line, quiet_limit_s=60.0, total_limit_s=600.0):
    """Runs QEMU without input and hands each console line to on_line(text).

    on_line returns true when the line is progress; without progress for quiet_limit_s, or after
    total_limit_s, the machine is ended. Answers the exit code, EXIT_TIMEOUT for a time-out.
    """
    process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    start = progress = time.monotonic()
    rest = b""
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ)
    try:
        while True:
            now = time.monotonic()
            limit = min(progress + quiet_limit_s, start + total_limit_s) - now
            if limit <= 0:
                return EXIT_TIMEOUT
            if not selector.select(limit):
                continue
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for text in lines:
                if on_line(text.decode(errors="replace").rstrip("\r")):
                    progress = time.monotonic()
        return process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        return EXIT_TIMEOUT
    finally:
        selector.close()
        if process.poll() is None:
            process.kill()
        process.stdout.close()
        process.wait()
        if rest:
            on_line(rest.decode(errors="replace").rstrip("\r"))
