# SPDX-License-Identifier: MIT
"""Tests written in Python: functions test_<name>(...) in tests/<folder>/test_*.py.

Rules:
- The KTAP name is <folder>.<name>. A test fails by raising; AssertionError's text is the reason.
- The function gets the fixture of its folder: for tests/shell/ a live shell session, for tests/gdb/ a
  debugger attached to a live kernel; elsewhere it gets nothing. A fixture is kept for the next test and replaced after a failure.
- The docstring's first line says what is promised.
"""

import glob
import importlib.util
import os
import sys
import traceback

import paths


class SkipTest(Exception):
    """Raised by a test or a fixture that cannot run here; the text says why."""


def only_long(function):
    """Marks a test that only `make test-long` runs."""
    function.only_long = True
    return function


def load(folder):
    """[(name, function)] of a folder under tests/, in the order of files and lines."""
    found = []
    sys.path.insert(0, os.path.join(paths.ROOT, "tests", folder))  # modules that its tests share
    for path in sorted(glob.glob(os.path.join(paths.ROOT, "tests", folder, "test_*.py"))):
        spec = importlib.util.spec_from_file_location(
            f"tests_{folder}_{os.path.basename(path)[:-3]}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        functions = [(name, value) for name, value in vars(module).items()
                     if name.startswith("test_") and callable(value)]
        functions.sort(key=lambda pair: pair[1].__code__.co_firstlineno)
        found += [(f"{folder}.{name.removeprefix('test_')}", value) for name, value in functions]
    return found


def run_functions(context, folder, open_fixture=None):
    """Runs the chosen tests of a folder. open_fixture() makes the argument; it has close()."""
    report, fixture = context.report, None
    chosen = [(name, function) for name, function in load(folder) if report.is_chosen(name)
              and (context.long or not hasattr(function, "only_long"))]
    if not chosen:
        return
    with report.stage(folder):
        for name, function in chosen:
            try:
                if open_fixture and fixture is None:
                    fixture = open_fixture()
                function(*([fixture] if open_fixture else []))
                report.result(folder, name, True)
            except SkipTest as reason:
                report.result(folder, name, True, skip=str(reason))
            except Exception as error:  # any escape is a failed test, never the end of the run
                report.note(describe(error))
                text = str(error).split("\n", maxsplit=1)[0]
                report.result(folder, name, False, text or type(error).__name__)
                fixture = close(fixture)
        close(fixture)


def close(fixture):
    if fixture is not None:
        fixture.close()


def describe(error):
    """The failing line, and what the terminal showed when the error knows."""
    trace = traceback.extract_tb(error.__traceback__)
    places = [f"{os.path.relpath(frame.filename, paths.ROOT)}:{frame.lineno}: {frame.line}"
              for frame in trace if frame.filename.startswith(paths.ROOT)]
    seen = getattr(error, "terminal", "")
    return "\n".join(places[-2:] + [str(error)] + (["the terminal showed:", seen] if seen else []))
