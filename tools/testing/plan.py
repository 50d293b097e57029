# SPDX-License-Identifier: MIT
"""Runs a plan of tests in a program that may hang or die, so that each test yields one line.

Rules:
- The program prints KTAP lines; what it prints between them belongs to the next result.
- When it ends early, the first planned test without a result is the culprit: it failed, and the program
  is started again behind it.
- A program that cannot be started (OSError) fails every test that is left, with the reason.
- A result out of order fails the tests that it jumped over; an unplanned or second one fails the stage.
"""

import re
from collections import namedtuple

from qemu import EXIT_FAILED, EXIT_OK, EXIT_TIMEOUT, MEANING

RESULT = re.compile(r"^(ok|not ok) (\d+) (?:- )?([\w.]+)(?:\s+# ?(.*))?\s*$")
PLANNED = re.compile(r"^# (\d+) (\w+\.\w+)\s*$")
PANIC = re.compile(r"^(?:\*+ )?(?:kernel )?panic: *(.*)", re.IGNORECASE)

# With this many hangs in one stage the rest is given up, to keep the run's time bounded.
HANGS_MAX = 3
# Of what a failed test printed, the first and last lines are shown.
SHOWN_LINES = 24

Outcome = namedtuple("Outcome", "passed reason skip output")


def parse_plan(lines):
    """The names of a printed plan, in order."""
    return [match.group(2) for match in map(PLANNED.match, lines) if match]


class PlanRunner:
    """Runs `plan` with start(first, on_line), which answers an exit code.

    start runs the tests from index `first` (1 is the first) and hands over each line; on_line answers
    whether the line was progress. emit(name, Outcome) is called once for each planned test, in order.
    """

    def __init__(self, plan, start, emit):
        self.plan, self.start, self.emit = plan, start, emit
        self.next = 0
        self.output = []
        self.begun = False
        self.any_failed = False
        self.surplus = []

    def _done(self, passed, reason="", skip=""):
        self.emit(self.plan[self.next], Outcome(passed, reason, skip, self.output))
        self.output = []
        self.next += 1
        self.any_failed |= not passed

    def _rest_failed(self, reason):
        while self.next < len(self.plan):
            self._done(False, reason)

    def on_line(self, line):
        self.begun |= line.startswith("KTAP version")
        match = RESULT.match(line)
        if not match:
            self.output.append(line)
            return False
        verdict, _, name, rest = match.groups()
        if name not in self.plan[self.next:]:
            self.surplus.append(line)
            return False
        while self.plan[self.next] != name:
            self._done(False, "printed nothing")
        directive = re.match(r"SKIP\b\s*(.*)", rest or "", re.IGNORECASE)
        if verdict == "ok":
            self._done(True, skip=(directive.group(1) or "no reason") if directive else "")
        else:
            self._done(False, rest or "failed")
        return True

    def run(self):
        """Runs to the end of the plan; answers sentences about the run itself, empty when all is well."""
        hangs, problems, code = 0, [], EXIT_OK
        while self.next < len(self.plan):
            first, self.begun, failed_before = self.next, False, self.any_failed
            self.any_failed = False
            try:
                code = self.start(self.next + 1, self.on_line)
            except OSError as error:
                self._rest_failed(f"cannot be started: {error}")
                break
            failed_now, self.any_failed = self.any_failed, self.any_failed or failed_before
            if self.next == len(self.plan):
                if code != (EXIT_FAILED if failed_now else EXIT_OK):
                    problems.append(f"the exit code is {code} ({MEANING.get(code, 'unknown')}), but "
                                    f"{'a test' if failed_now else 'no test'} failed")
                break
            hangs += code == EXIT_TIMEOUT
            reason = self._why(code)
            self._done(False, reason)
            if hangs >= HANGS_MAX or (self.next == first + 1 and not self.begun):
                self._rest_failed("too many hangs before" if self.begun else f"no tests were begun: {reason}")
        return problems + [f"unplanned result: {line}" for line in self.surplus]

    def _why(self, code):
        for line in self.output:
            match = PANIC.match(line)
            if match:
                return f"panic: {match.group(1) or line}"
        return f"no result; the run ended with {code} ({MEANING.get(code, 'unknown')})"


def emitter(report, stage):
    """An emit function that prints to a report; the output of a failed test is shown above it."""
    def emit(name, outcome):
        if not outcome.passed:
            shown = outcome.output
            if len(shown) > SHOWN_LINES:
                half = SHOWN_LINES // 2
                shown = shown[:half] + [f"... {len(shown) - SHOWN_LINES} lines ..."] + shown[-half:]
            if shown:
                report.note("\n".join(line.removeprefix("# ") for line in shown))
        report.result(stage, name, outcome.passed, outcome.reason, outcome.skip)
    return emit


def run_in_report(report, stage, plan, start):
    """Runs the chosen part of a plan into a report; start must choose the same tests."""
    if not plan:
        return
    for problem in PlanRunner(plan, start, emitter(report, stage)).run():
        report.result(stage, "run", False, problem)
