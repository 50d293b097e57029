#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds and boots: `make run` (a shell on this terminal) and `make gdb` (with the debugger).

The machine comes from the variables SMP, MEM, APPEND, PRESET and QEMU. The exit code is QEMU's.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import build
import paths
import qemu

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def line(extra=()):
    get = os.environ.get
    return qemu.command(get("PRESET") or "release", get("SMP") or 4, get("MEM") or "512M",
                        get("APPEND") or "", extra)


def gdb_server(path):
    """QEMU's arguments for a gdb server on a UNIX socket; the file appears when it listens."""
    return ["-chardev", f"socket,path={path},server=on,wait=off,id=gdb", "-gdb", "chardev:gdb"]


def wait_for_file(path, process, limit_s=20.0):
    """Waits until a file appears; false when the process ends or the limit passes."""
    end = time.monotonic() + limit_s
    while not os.path.exists(path):
        if process.poll() is not None or time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def gdb_command(path, preset, extra=()):
    """gdb-multiarch, attached, with the symbols of the kernel; the helpers load those of programs."""
    helpers = os.path.join(paths.ROOT, "tools", "gdb")
    return ["gdb-multiarch", "-q", "-nx", "-ex", "set confirm off", "-ex", "set pagination off",
            "-ex", "set architecture riscv:rv64", "-ex", f"directory {paths.ROOT}",
            "-ex", f"file {paths.kernel(preset)}", "-ex", f"source {helpers}/baton.py",
            "-ex", f"target remote {path}", *extra]


def end_with_parent():
    """In a child: asks Linux to end it when this program ends, in whatever way."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def debug():
    """Boots with the serial line in a file and gdb on this terminal; ends the machine with gdb."""
    preset = os.environ.get("PRESET") or "release"
    console = os.path.join(paths.build_dir(preset), "console.log")
    folder = tempfile.mkdtemp(prefix="baton-gdb-")
    path = os.path.join(folder, "socket")
    machine = line(gdb_server(path))
    with open(console, "wb") as log:
        process = subprocess.Popen(machine, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT, start_new_session=True,
                                   preexec_fn=end_with_parent)
    print(f"The console goes to {os.path.relpath(console, paths.ROOT)}.")
    # However the terminal goes away, the folder goes, too.
    signal.signal(signal.SIGHUP, lambda *_: sys.exit("gdb: the terminal was closed"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("gdb: ended from outside"))
    try:
        if not wait_for_file(path, process):
            return "gdb: QEMU did not start; see the console"
        # Ctrl-C is for gdb; this process gets it, too, and has to live on.
        signal.signal(signal.SIGINT, lambda *_: None)
        return subprocess.call(gdb_command(path, preset))
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def main():
    try:
        build.build(os.environ.get("PRESET") or "release")
    except build.BuildError as error:
        sys.exit(f"build: {error}")
    if "--gdb" in sys.argv[1:]:
        sys.exit(debug())
    print("Ctrl-A X ends QEMU.", flush=True)
    machine = line()
    os.execvp(machine[0], machine)


if __name__ == "__main__":
    main()
