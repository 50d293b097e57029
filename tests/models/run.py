#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Verifies the models of this folder with Spin, exhaustively, and prints KTAP.

Usage: run.py [--quick] [pattern]
--quick takes only the checks marked so; a pattern chooses tests by name.

The head of each model lists what to run:
  CHECK <label> [quick] <options>      must verify; the first one carries the model's name alone
  MUTANT <number> <options>: <what>    with -DMUT=<number> Spin must find an error
"""

import fnmatch
import glob
import os
import re
import shutil
import subprocess
import sys
import time
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(os.path.dirname(os.path.dirname(HERE)), "build", "models")

MEMORY_MB = 2000
DEPTH = 2000000
TIME_LIMIT_S = 600

CHECK = re.compile(r"^ \* CHECK (\w+)( quick)?((?: -D\w+(?:=\w+)?)*)$")
MUTANT = re.compile(r"^ \* MUTANT (\d+)((?: -D\w+(?:=\w+)?)*): (.+)$")
MARK = re.compile(r"^ \* (CHECK|MUTANT)\b")
ERROR = re.compile(r"assertion violated .*|invalid end state.*|acceptance cycle.*")
INCOMPLETE = re.compile(r"max search depth too small|DMEMLIM|out of memory|Search not completed")

# mutant is None for a check, else what is wrong.
Case = namedtuple("Case", "name model options mutant quick")
# text says why it failed; states and seconds are figures.
Verdict = namedtuple("Verdict", "passed text states seconds")


class ModelError(Exception):
    """The model or a tool does not work; the text says why."""


def parse(path):
    """The cases that a model's head lists."""
    model, cases = os.path.basename(path)[:-len(".pml")], []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file.read().split("\n"), 1):
            check, mutant = CHECK.match(line), MUTANT.match(line)
            if check:
                name = f"models.{model}" + (f"_{check.group(1)}" if cases else "")
                cases.append(Case(name, path, check.group(3).split(), None, bool(check.group(2))))
            elif mutant:
                cases.append(Case(f"models.{model}_mutant_{mutant.group(1)}_is_rejected", path,
                                  mutant.group(2).split() + [f"-DMUT={mutant.group(1)}"],
                                  mutant.group(3), False))
            elif MARK.match(line):
                raise ModelError(f"{path}:{number}: cannot read this line")
    return cases


def cases(quick=False):
    """All cases, or the quick ones, in the order of files and lines."""
    found = [case for path in sorted(glob.glob(os.path.join(HERE, "*.pml"))) for case in parse(path)]
    return [case for case in found if case.quick or not quick]


def missing_tool():
    """The name of a tool that is not installed, or None."""
    return next((tool for tool in ("spin", "gcc") if shutil.which(tool) is None), None)


def run_tool(command, folder):
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=TIME_LIMIT_S, check=False)
    if done.returncode != 0:
        raise ModelError(f"{command[0]}: {done.stdout.strip()[:2000]}")
    return done.stdout


def search(case):
    """Builds the verifier of a case and runs it; its output."""
    folder = os.path.join(BUILD, case.name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    run_tool(["spin", *case.options, "-a", case.model], folder)
    level = "-O1" if case.quick or case.mutant else "-O2"
    run_tool(["gcc", level, "-w", "-DSAFETY", "-DCOLLAPSE", f"-DMEMLIM={MEMORY_MB}", "-o", "pan", "pan.c"],
             folder)
    output = run_tool(["./pan", f"-m{DEPTH}"], folder)
    if not case.mutant or not ERROR.search(output):
        shutil.rmtree(folder, ignore_errors=True)
    return output


def judge(case, output):
    """(passed, why not) from what the verifier printed."""
    errors = re.search(r"errors: (\d+)", output)
    found = ERROR.search(output)
    if errors is None:
        return False, "the verifier printed no result"
    if case.mutant:
        return int(errors.group(1)) > 0 and bool(found), f"Spin accepts the mutant: {case.mutant}"
    incomplete = INCOMPLETE.search(output)
    if incomplete:
        return False, f"the search is not exhaustive: {incomplete.group()}"
    return int(errors.group(1)) == 0, found.group() if found else "an error was found"


def try_case(case):
    """Runs one case; its Verdict."""
    start = time.monotonic()
    states = 0
    try:
        output = search(case)
        stored = re.search(r"(\d+) states, stored", output)
        states = int(stored.group(1)) if stored else 0
        passed, why = judge(case, output)
    except (ModelError, OSError, subprocess.TimeoutExpired) as error:
        passed, why = False, str(error)
    return Verdict(passed, "" if passed else why, states, time.monotonic() - start)


def main():
    patterns = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    pattern = patterns[0] if patterns else "*"
    chosen = [case for case in cases("--quick" in sys.argv[1:])
              if fnmatch.fnmatchcase(case.name, pattern) or fnmatch.fnmatchcase(case.name, f"models.{pattern}")]
    print(f"KTAP version 1\n1..{len(chosen)}", flush=True)
    tool, failed = missing_tool(), 0
    for number, case in enumerate(chosen, 1):
        if tool:
            print(f"ok {number} {case.name} # SKIP {tool} is not installed", flush=True)
            continue
        verdict = try_case(case)
        failed += not verdict.passed
        print(f"# {verdict.states} states, {verdict.seconds:.1f} s")
        print(f"ok {number} {case.name}" if verdict.passed
              else f"not ok {number} {case.name} # " + verdict.text.replace("\n", " "), flush=True)
    if not chosen:
        print(f"# no test matches '{pattern}'")
    sys.exit(1 if failed or not chosen else 0)


if __name__ == "__main__":
    main()
