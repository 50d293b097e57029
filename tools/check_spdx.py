#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that every source file names its licence within its first three lines, once."""

import os

import checker

TAG = "SPDX-License-" + "Identifier: MIT"


def is_source(root, path):
    if path.endswith(checker.CODE_SUFFIXES):
        return True
    full = os.path.join(root, path)
    with open(full, "rb") as file:
        return file.read(2) == b"#!"


def check(root):
    problems = []
    for path in checker.files(root):
        if is_source(root, path):
            text = checker.lines(root, path)
            if sum(TAG in line for line in text[:3]) != 1:
                problems.append(f"{path}: no line with {TAG} at its start")
    return problems


def self_test():
    bad = [{"a.c": "int x;\n"}, {"a": "#!/bin/sh\n"}, {"a.py": "\n\n\n\n# " + TAG + "\n"}]
    good = {"a.c": f"/* {TAG} */\n", "b": f"#!/bin/sh\n# {TAG}\n", "c.md": "text\n"}
    return checker.expect(check, bad, good)


if __name__ == "__main__":
    checker.main(check, self_test)
