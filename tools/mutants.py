#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make mutants`: changes one line at a time in a copy of the tree; the named tests must then fail.

The mutants are in tests/mutants/*.txt; the README there has the format. T= is a pattern of their names
(file of the mutant and its number, like frame_1).
"""

import glob
import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple

import checker
import paths
import patterns

Mutant = namedtuple("Mutant", "name file old new test")
Verdict = namedtuple("Verdict", "caught text")

COPY = os.path.join(paths.BUILD, "mutants")
KEYS = ("file", "old", "new", "test")
FAILED = re.compile(r"^not ok \d+ (.*?)(?: # .*)?$", re.MULTILINE)


def parse(text, prefix):
    """The stanzas of one file; ValueError names what is wrong."""
    mutants, fields = [], {}
    for line in text.split("\n") + [""]:
        if line.startswith("#"):
            continue
        if line.strip():
            key, colon, value = line.partition(":")
            if key not in KEYS or not colon or key in fields:
                raise ValueError(f"{prefix}: not understood: {line}")
            fields[key] = value.strip()
        elif fields:
            if len(fields) != len(KEYS):
                raise ValueError(f"{prefix}: a stanza needs {', '.join(KEYS)}; this one has {fields}")
            mutants.append(Mutant(f"{prefix}_{len(mutants) + 1}", *(fields[key] for key in KEYS)))
            fields = {}
    return mutants


def load():
    found = []
    for path in sorted(glob.glob(os.path.join(paths.ROOT, "tests", "mutants", "*.txt"))):
        with open(path, encoding="utf-8") as file:
            found += parse(file.read(), os.path.basename(path)[:-4])
    return found


def refresh_copy():
    """Brings the copy to the state of the tree; unchanged files keep their times, so little is rebuilt."""
    wanted = set(checker.files(paths.ROOT))
    for path in checker.files(COPY) if os.path.isdir(COPY) else []:
        if path not in wanted:
            os.remove(os.path.join(COPY, path))
    for path in wanted:
        source, target = os.path.join(paths.ROOT, path), os.path.join(COPY, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target) or read(source) != read(target):
            shutil.copy(source, target)
    toolchain = os.path.join(COPY, "build", "toolchain")
    os.makedirs(os.path.dirname(toolchain), exist_ok=True)
    if not os.path.islink(toolchain):
        os.symlink(os.path.join(paths.BUILD, "toolchain"), toolchain)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def mutate(text, mutant):
    """The text with the one change; ValueError when the old text is not there exactly once."""
    if text.count(mutant.old) != 1:
        raise ValueError(f"`{mutant.old}` occurs {text.count(mutant.old)} times in {mutant.file}")
    return text.replace(mutant.old, mutant.new)


def try_mutant(mutant):
    """Builds and tests one mutant. Caught: a test failed; that it does not build is no catch."""
    refresh_copy()
    path = os.path.join(COPY, mutant.file)
    try:
        changed = mutate(read(path).decode(), mutant)
    except (OSError, ValueError) as error:
        return Verdict(False, f"does not apply: {error}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(changed)
    done = subprocess.run([sys.executable, "-B", "tools/test.py", "--stop"], cwd=COPY, text=True, errors="replace",
                          env={**os.environ, "T": mutant.test, "SEED": ""},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    failed = FAILED.findall(done.stdout)
    broken = [name for name in failed if ": build." in name]
    if broken:
        return Verdict(False, f"does not build ({broken[0]})")
    if not failed or done.returncode == 0:
        return Verdict(False, "survived" if " passed, " in done.stdout else "no test ran")
    if all("no test matches" in line for line in done.stdout.splitlines() if line.startswith("not ok")):
        return Verdict(False, f"no test matches {mutant.test}")
    return Verdict(True, f"caught by {failed[0]}")


def main():
    pattern = patterns.from_environment("T", "*")
    try:
        chosen = [mutant for mutant in load() if patterns.matches(mutant.name, pattern)]
    except ValueError as error:
        sys.exit(f"mutants: {error}")
    if not chosen:
        sys.exit(f"mutants: no mutant matches '{pattern}'")
    survivors = 0
    for mutant in chosen:
        verdict = try_mutant(mutant)
        survivors += not verdict.caught
        print(f"{mutant.file}: {mutant.old} -> {mutant.new or '(nothing)'}: {verdict.text}", flush=True)
    print(f"{len(chosen) - survivors} caught, {survivors} not")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
