# SPDX-License-Identifier: MIT
"""Collects results of all stages and prints them as KTAP, numbered through."""

import sys
import time

import patterns


SLOWEST_SHOWN = 8
SLOW_S = 2.0


class Report:
    """The results so far. A name is chosen when it matches the pattern (None: every name)."""

    def __init__(self, pattern=None, out=sys.stdout):
        self.pattern = pattern
        self.out = out
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.times = []
        self.last = time.monotonic()
        self._print("KTAP version 1")

    def _print(self, text):
        print(text, file=self.out, flush=True)

    def is_chosen(self, name):
        return self.pattern is None or patterns.matches(name, self.pattern)

    def count(self):
        return self.passed + self.failed + self.skipped

    def note(self, text):
        """Diagnostics, each line as a comment."""
        for line in text.rstrip("\n").split("\n"):
            self._print(f"# {line}")

    def result(self, stage, name, passed, reason="", skip=""):
        """One result; `reason` says why it failed, `skip` why it did not run."""
        label = f"{stage}: {name}" if stage else name
        now = time.monotonic()
        self.times.append((now - self.last, label))
        self.last = now
        if skip:
            self.skipped += 1
            self._print(f"ok {self.count()} {label} # SKIP {skip}")
        elif passed:
            self.passed += 1
            self._print(f"ok {self.count()} {label}")
        else:
            self.failed += 1
            self.failures.append(f"{label}: {reason}")
            self._print(f"not ok {self.count()} {label} # {reason}")

    def stage(self, name):
        """A context that prints the time a stage took."""
        return StageTimer(self, name)

    def finish(self):
        """Prints the totals; the exit status of the run."""
        self._print(f"1..{self.count()}")
        for seconds, label in sorted(self.times, reverse=True)[:SLOWEST_SHOWN]:
            if seconds >= SLOW_S:
                self.note(f"slow: {seconds:.1f} s: {label}")
        for failure in self.failures:
            self.note(f"failed: {failure}")
        if self.skipped:
            self.note(f"{self.skipped} skipped")
        self._print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


class StageTimer:
    """Prints the name of a stage and, at its end, its time."""

    def __init__(self, report, name):
        self.report, self.name = report, name

    def __enter__(self):
        self.start = time.monotonic()
        self.before = self.report.count()

    def __exit__(self, *error):
        seconds = time.monotonic() - self.start
        tests = self.report.count() - self.before
        if tests:
            self.report.note(f"stage {self.name}: {tests} tests, {seconds:.1f} s")
        return False
