#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the root and each top-level folder have a README.md, the latter of at most 80 lines."""

import os

import checker

LIMIT = 80


def check(root):
    problems = []
    folders = [name for name in sorted(os.listdir(root))
               if os.path.isdir(os.path.join(root, name)) and not name.startswith(".")
               and name not in checker.IGNORED]
    for folder in ["."] + folders:
        path = os.path.normpath(os.path.join(folder, "README.md"))
        if not os.path.exists(os.path.join(root, path)):
            problems.append(f"{path}: missing")
        elif folder != "." and len(checker.lines(root, path)) - 1 > LIMIT:
            problems.append(f"{path}: longer than {LIMIT} lines")
    return problems


def self_test():
    bad = [{"README.md": "a\n", "mm/a.c": ""}, {"mm/README.md": "a\n"},
           {"README.md": "a\n", "mm/README.md": "a\n" * 81}]
    return checker.expect(check, bad, {"README.md": "a\n" * 200, "mm/README.md": "a\n" * 80})


if __name__ == "__main__":
    checker.main(check, self_test)
