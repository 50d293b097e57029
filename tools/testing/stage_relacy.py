# SPDX-License-Identifier: MIT
"""Lock-free code under the model checker of tests/relacy/, and the proof that it needs each order.

Rules:
- Each test is run by the random scheduler, and by the full one where it is small enough.
- A test file's first comment says `COVERS <file>`. Each ordered atomic and each fence of that file must
  have run in some test, and one of those tests must fail when that one alone is weakened.
- `EXCEPT <file>: <text>: <why>` leaves out the operations of a line that holds the text.
"""

import glob
import os
import re
import subprocess
from collections import namedtuple

import build
import paths

FOLDER = os.path.join(paths.ROOT, "tests", "relacy")
TIME_LIMIT_S = 900
SHOWN_LINES = 60

COVERS = re.compile(r"^ \* COVERS (\S+)$", re.MULTILINE)
EXCEPT = re.compile(r"^ \* EXCEPT (\S+): (.+): .+$", re.MULTILINE)
ORDERED = re.compile(r"\batomic_\w+?_(acquire|release|acq_rel)\s*\(|\bfence_(acquire|release|seq_cst)\s*\(")
SITE = re.compile(r"^site (\S+):(\d+) (\w+)$", re.MULTILINE)
# What is left of an order when a part of it is taken away. `relaxed` takes a fence away altogether.
WEAKER = {"acquire": ["relaxed"], "release": ["relaxed"], "acq_rel": ["acquire", "release"], "seq_cst": ["relaxed"]}

# lines first..last of path hold the operation; number counts the ordered ones of the file.
Operation = namedtuple("Operation", "path first last order number")


def without_comments(text):
    """The text with its comments blanked, lines kept."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda match: re.sub(r"[^\n]", " ", match.group()), text, flags=re.DOTALL)


def operations(path, text, exceptions=()):
    """The ordered operations that a source spells out."""
    code, found = without_comments(text), []
    for match in ORDERED.finditer(code):
        depth, end = 1, match.end()
        while depth and end < len(code):
            depth += {"(": 1, ")": -1}.get(code[end], 0)
            end += 1
        first, last = code.count("\n", 0, match.start()) + 1, code.count("\n", 0, end) + 1
        lines = "\n".join(code.split("\n")[first - 1:last])
        if not any(words in lines for words in exceptions):
            found.append(Operation(path, first, last, match.group(1) or match.group(2), len(found) + 1))
    return found


def covered():
    """{path: texts of lines that are left out} of what the tests say they cover."""
    found = {}
    for path in sorted(glob.glob(os.path.join(FOLDER, "*_test.c"))):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for name in COVERS.findall(text):
            found.setdefault(name, [])
        for name, words in EXCEPT.findall(text):
            found[name].append(words)
    return found


def read(path):
    with open(os.path.join(paths.ROOT, path), encoding="utf-8") as file:
        return file.read()


def execute(program, *arguments):
    """(exit code, output)"""
    try:
        done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=TIME_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return 124, f"no end within {TIME_LIMIT_S} s"
    return done.returncode, done.stdout


def run_tests(report, program, extra):
    """Runs each test; [(test, scheduler, its sites)] of those that passed."""
    passed = []
    for line in execute(program, "--list")[1].splitlines():
        test, scheduler = line.split()
        name = f"relacy.{test}_{scheduler}"
        chosen = report.is_chosen(name)
        if not chosen and report.pattern and not report.pattern.startswith("relacy"):
            continue
        code, output = execute(program, test, scheduler, *extra)
        sites = {(path, int(at), order) for path, at, order in SITE.findall(output)}
        if code == 0:
            passed.append((test, scheduler, sites))
        if chosen:
            if code != 0:
                report.note("\n".join(output.splitlines()[:SHOWN_LINES]))
            report.result("relacy", name, code == 0, f"an error was found ({code})")
    return passed


def why_not_needed(program, operation, weaker, passed):
    """None when a test fails without the order, else a sentence."""
    users = [(test, scheduler) for test, scheduler, sites in passed
             if any(path == operation.path and operation.first <= line <= operation.last for path, line, _ in sites)]
    if not users:
        return "no test runs it"
    where = f"{operation.path}:{operation.first}:{operation.last}"
    for test, scheduler in users:
        code, output = execute(program, test, scheduler, f"--weaken={where}:{weaker}")
        if code == 1:
            return None
        if code != 0:
            return f"{test} ended with {code}: {output[-200:]}"
    return f"all tests hold with {weaker} in its place: {where}"


def run_relacy(context):
    report = context.report
    if report.pattern and not report.pattern.startswith(("relacy", "*")):
        return
    with report.stage("relacy"):
        try:
            program = build.build_apart("relacy", "relacy-tests", quiet=True)
        except build.BuildError as error:
            report.note(str(error)[-6000:])
            report.result("relacy", "build.relacy", False, "does not build")
            return
        passed = run_tests(report, program, ["--long"] if context.long else [])
        for path, exceptions in covered().items():
            for operation in operations(path, read(path), exceptions):
                for weaker in WEAKER[operation.order]:
                    stem = re.sub(r"\W", "_", os.path.basename(path))
                    name = f"relacy.{stem}_{operation.number}_{operation.order}_is_needed"
                    name += f"_not_{weaker}" if len(WEAKER[operation.order]) > 1 else ""
                    if report.is_chosen(name):
                        problem = why_not_needed(program, operation, weaker, passed)
                        report.result("relacy", name, problem is None, problem)
