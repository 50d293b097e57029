#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that no file names a place of one machine, and that nothing is left undone in comments."""

import re

import checker

# Spelled in pieces, so that this file does not contain what it looks for.
PLACES = ("work", "home", "root", "tmp", "mnt", "Users")
PATTERN = re.compile(r"(?<![\w.$})/*-])/(" + "|".join(PLACES) + r")/[\w.]")
UNDONE = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")


def check(root):
    problems = []
    for path in checker.files(root):
        for number, line in enumerate(checker.lines(root, path), 1):
            for pattern, meaning in ((PATTERN, "a path of one machine"), (UNDONE, "work left undone")):
                found = pattern.search(line)
                if found:
                    problems.append(f"{path}:{number}: {meaning}: {found.group().strip()}")
    return problems


def self_test():
    bad = [{"a.md": f"see /{place}/x\n"} for place in PLACES] + [{"a.c": "/* TO" + "DO: this */\n"}]
    return checker.expect(check, bad, {"a.c": '#include "user/home/x.h"\n', "b.md": "build/tmp/a\n"})


if __name__ == "__main__":
    checker.main(check, self_test)
