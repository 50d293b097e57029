# SPDX-License-Identifier: MIT
"""The tests in user programs: the programs test-* of the boot archive, started from the shell.

The plan is read from the programs themselves. After a test that hung or took the program with it, a new
machine runs the tests behind it, each by its full name.
"""

import glob
import os
import re

import paths
import qemu
from testing import plan, records
from testing.session import ExpectError, PROMPT, Shell, TERMINAL

QUIET_LIMIT_S = 60.0


class Machine:
    """One shell for all programs of a stage, replaced when it no longer answers."""

    def __init__(self, **options):
        self.options, self.shell = options, None

    def start(self, program, names, pattern):
        """A start function for plan.PlanRunner: runs the program's tests from index `first` on."""
        def start(first, on_line):
            try:
                if self.shell is None:
                    self.shell = Shell(limit_s=QUIET_LIMIT_S, **self.options)
                if first == 1:
                    return self.run(program, pattern, on_line)
                # The pattern would choose the earlier tests again; full names choose one each.
                failed = False
                for name in names[first - 1:]:
                    failed |= self.run(program, name, on_line) != qemu.EXIT_OK
                return qemu.EXIT_FAILED if failed else qemu.EXIT_OK
            except ExpectError as error:
                hung = "time-out" in str(error)
                for line in error.terminal.splitlines()[-30:]:
                    on_line(f"# {line}")
                self.close()
                return qemu.EXIT_TIMEOUT if hung else qemu.EXIT_PANIC
        return start

    def run(self, program, pattern, on_line):
        """Runs one program; answers 0 when none of its lines says that a test failed."""
        code = qemu.EXIT_OK
        self.shell.send(f"run {program} {pattern}\r")
        self.shell.expect("\n")
        while True:
            match = self.shell.expect(r"([^\n]*)\n|" + re.escape(PROMPT))
            if match.group(1) is None:
                return code
            line = TERMINAL.sub("", match.group(1)).rstrip("\r")
            on_line(line)
            if line.startswith("not ok "):
                code = qemu.EXIT_FAILED

    def close(self):
        if self.shell is not None:
            self.shell.close()
            self.shell = None


def run_programs(context, stage, **options):
    """All chosen tests of all programs, on one machine."""
    report, machine = context.report, Machine(**options)
    folder = os.path.join(paths.build_dir(options["preset"]), "user", "bin")
    with report.stage(stage):
        for path in sorted(glob.glob(os.path.join(folder, "test-*"))):
            names = [name for name in records.user_tests(path) if report.is_chosen(name)]
            start = machine.start(os.path.basename(path), names, report.pattern or "*")
            plan.run_in_report(report, stage, names, start)
        machine.close()


def run_user(context):
    """One hart as `make run` boots it, and four with assertions; two without ASIDs, and with one."""
    run_programs(context, "user smp1", preset="release", smp=1)
    run_programs(context, "user smp4", preset="debug", smp=4)
    for asids in (0, 1):
        run_programs(context, f"user asids{asids}", preset="debug", smp=2, append=f"asids={asids}")
    if context.long:
        run_programs(context, "user smp8", preset="debug", smp=8)
