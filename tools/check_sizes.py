#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the size limits of the house: lines of a file and lines of a function."""

import os

import checker

FILE_LIMITS = {".c": 500, ".h": 200, ".S": 250, ".py": 500}
FUNCTION_LIMIT = 60


def long_functions(text):
    """(first line, length) of functions over the limit: from the brace in column 0 to its end."""
    start = None
    for number, line in enumerate(text, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start - 1 > FUNCTION_LIMIT:
                yield start, number - start - 1
            start = None


def check(root):
    problems = []
    for path in checker.files(root, FILE_LIMITS):
        text = checker.lines(root, path)
        length = len(text) - (text[-1] == "")
        limit = FILE_LIMITS[os.path.splitext(path)[1]]
        if length > limit:
            problems.append(f"{path}: {length} lines; the limit is {limit}")
        if path.endswith(".c"):
            for start, size in long_functions(text):
                problems.append(f"{path}:{start}: a function of {size} lines; "
                                f"the limit is {FUNCTION_LIMIT}")
    return problems


def self_test():
    body = "    x();\n"
    bad = [
        {"a.c": "\n" * 501},
        {"a.h": "\n" * 201},
        {"a.S": "\n" * 251},
        {"a.c": "void f(void)\n{\n" + body * 61 + "}\n"},
    ]
    good = {"a.c": "void f(void)\n{\n" + body * 60 + "}\n" + "\n" * 430, "b.h": "\n" * 200}
    return checker.expect(check, bad, good)


if __name__ == "__main__":
    checker.main(check, self_test)
