# SPDX-License-Identifier: MIT
"""What all house checks share: the files of the tree, comments, and a command line.

A check is a module tools/check_<name>.py with two functions, both answering a list of sentences:
  check(root)   what is wrong with the tree at root; empty: nothing
  self_test()   what is wrong with the check itself: it must find a planted mistake
It may raise Skip(reason). The stage `house` of tools/test.py runs both for every such module.
"""

import contextlib
import os
import sys
import tempfile

import paths

IGNORED = {"build", ".git", "__pycache__", ".cache", ".issues", ".vscode"}
C_SUFFIXES = (".c", ".h")
CODE_SUFFIXES = (".c", ".h", ".S", ".ld", ".py", ".cmake", "CMakeLists.txt", "Makefile", ".sh")


class Skip(Exception):
    """The check cannot run on this machine; the text says why."""


def files(root, suffixes=("",)):
    """Paths of all files, relative to the root, whose names end in one of the suffixes."""
    found = []
    for directory, folders, names in os.walk(root):
        folders[:] = sorted(folder for folder in folders if folder not in IGNORED)
        for name in sorted(names):
            if name.endswith(tuple(suffixes)):
                found.append(os.path.relpath(os.path.join(directory, name), root))
    return found


def lines(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read().split("\n")


def is_assembly(root, path):
    """Is this header meant for .S files only? Then it defines assembler macros."""
    return any(line.lstrip().startswith(".macro ") for line in lines(root, path))


@contextlib.contextmanager
def sample_tree(contents):
    """A temporary tree with the given files ({path: text}), for self-tests."""
    with tempfile.TemporaryDirectory(prefix="baton-check-") as root:
        for path, text in contents.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
        yield root


def expect(check, bad, good):
    """Sentences when check() accepts a bad tree or refuses the good one. `bad` is a list of trees."""
    problems = []
    for contents in bad:
        with sample_tree(contents) as root:
            if not check(root):
                problems.append(f"the planted mistake in {', '.join(contents)} was not found")
    with sample_tree(good) as root:
        problems += [f"a correct file was refused: {problem}" for problem in check(root)]
    return problems


def main(check, self_test):
    """The command line of a check: prints what is wrong; the exit code is the verdict."""
    try:
        problems = self_test() if "--self-test" in sys.argv[1:] else check(paths.ROOT)
    except Skip as reason:
        print(f"skipped: {reason}")
        sys.exit(0)
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)
