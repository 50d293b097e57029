# SPDX-License-Identifier: MIT
"""Live machines for tests: a shell on the serial line, and a debugger attached to a kernel."""

import os
import re
import shutil
import tempfile

import pexpect

import qemu
import run

PROMPT = "baton> "
TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class ExpectError(AssertionError):
    """Something awaited did not come; `terminal` is what came instead."""

    def __init__(self, text, terminal):
        super().__init__(text)
        self.terminal = terminal


class NoTerminal(OSError):
    """No program can be run on a pseudo terminal here."""


class Terminal:
    """A program on a pseudo terminal, with every wait bounded."""

    def __init__(self, line, limit_s, kind="xterm"):
        self.limit_s = limit_s
        self.log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        try:
            self.child = pexpect.spawn(line[0], line[1:], encoding="utf-8", codec_errors="replace",
                                       timeout=limit_s, dimensions=(50, 200), echo=False,
                                       env={**os.environ, "TERM": kind})
        except (OSError, pexpect.ExceptionPexpect) as error:
            self.log.close()
            raise NoTerminal(f"no pseudo terminal for {os.path.basename(line[0])}: {error}") from None
        self.child.logfile_read = self.log
        # pexpect pauses before it sends, to hide echo from people; nobody watches here.
        self.child.delaybeforesend = None

    def expect(self, pattern, limit_s=None):
        """Waits for a regular expression; answers the match."""
        try:
            self.child.expect(pattern, timeout=limit_s or self.limit_s)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            kind = "it ended" if isinstance(error, pexpect.EOF) else "time-out"
            raise ExpectError(f"waiting for {pattern!r}: {kind}", self.tail()) from None
        return self.child.match

    def send(self, text):
        self.child.send(text)

    def tail(self, length=3000):
        """The end of everything the program printed."""
        self.log.seek(0)
        return TERMINAL.sub("", self.log.read()).replace("\r", "")[-length:]

    def poll(self):
        """None while the program runs."""
        return None if self.child.isalive() else self.child.exitstatus

    def wait_exit(self, limit_s=None):
        """Waits for the end of the program; answers its exit code."""
        self.expect(pexpect.EOF, limit_s)
        self.child.close()
        return self.child.exitstatus

    def close(self):
        self.child.close(force=True)
        self.log.close()


class Shell(Terminal):
    """A machine booted to the shell's prompt. run("help") answers what the command printed."""

    def __init__(self, smp=2, mem="512M", append="", preset="release", extra=(), initrd=None,
                 limit_s=60.0, wait_for_prompt=True, program=None):
        super().__init__(qemu.command(preset, smp, mem, append, extra, initrd=initrd, qemu=program),
                         limit_s)
        self.banner = ""
        if wait_for_prompt:
            self.banner = self.until_prompt()

    def until_prompt(self, limit_s=None):
        """Waits for the prompt; answers what was printed before it, without terminal codes.

        A prompt that is drawn again while a line is edited does not follow a line end.
        """
        self.expect(r"\n(?:\x1b\[[0-9;?]*[A-Za-z])*" + re.escape(PROMPT), limit_s)
        return TERMINAL.sub("", self.child.before).replace("\r", "")

    def run(self, command, limit_s=None):
        """Types a command; answers its output, without the echo of the command itself."""
        self.send(command + "\r")
        text = self.until_prompt(limit_s)
        _, _, output = text.partition("\n")
        return output.strip("\n")


class Debugger(Terminal):
    """gdb attached to a live kernel that has booted to its shell, or (stopped) has run no instruction yet.

    run("baton cores") answers the output.
    """

    GDB_PROMPT = "(gdb) "

    def __init__(self, smp=2, preset="debug", limit_s=60.0, stopped=False, append=""):
        self.folder = tempfile.mkdtemp(prefix="baton-gdb-")
        self.machine = None
        path = os.path.join(self.folder, "socket")
        try:
            extra = run.gdb_server(path) + (["-S"] if stopped else [])
            self.machine = Shell(smp=smp, preset=preset, extra=extra, limit_s=limit_s, append=append,
                                 wait_for_prompt=not stopped)
            if not run.wait_for_file(path, self.machine):
                raise ExpectError("QEMU has no socket for gdb", self.machine.tail())
            # On a dumb terminal gdb's line editor draws nothing.
            super().__init__(run.gdb_command(path, preset), limit_s, "dumb")
            self.child.setwinsize(500, 500)
            self.intro = self.until_prompt()
        except BaseException:
            self.close()
            raise

    def until_prompt(self, limit_s=None):
        self.expect(r"(?:^|[\r\n])(?:\x1b\[[0-9;?]*[A-Za-z])*" + re.escape(self.GDB_PROMPT), limit_s)
        return TERMINAL.sub("", self.child.before).replace("\r", "")

    def run(self, command, limit_s=None):
        """Types a gdb command; answers its output, without the echo of the command."""
        self.send(command + "\n")
        text = self.until_prompt(limit_s).strip("\n")
        return text.removeprefix(command).strip("\n")

    def close(self):
        if hasattr(self, "child"):
            super().close()
        if self.machine:
            self.machine.close()
        shutil.rmtree(self.folder, ignore_errors=True)
