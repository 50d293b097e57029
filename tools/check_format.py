#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that every C file is as clang-format would write it; --fix makes it so."""

import os
import re
import shutil
import subprocess
import sys

import checker
import paths

# Other versions lay out a few constructs in other ways.
VERSION = "14"


def format_files(root, arguments):
    found = [path for path in checker.files(root, checker.C_SUFFIXES)
             if not checker.is_assembly(root, path)]
    if not found:
        return ""
    done = subprocess.run(["clang-format", f"--style=file:{paths.ROOT}/.clang-format", *arguments,
                           *found], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.stdout


def require_version():
    if not shutil.which("clang-format"):
        raise checker.Skip("no clang-format")
    text = subprocess.run(["clang-format", "--version"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    if not re.search(rf"version {VERSION}\.", text):
        raise checker.Skip(f"the layout is that of clang-format {VERSION}; this is {text.strip()}")


def check(root):
    require_version()
    output = format_files(root, ["--dry-run", "-Werror"])
    return [line.replace(root + os.sep, "") for line in output.splitlines() if ": error: " in line]


def self_test():
    return checker.expect(check, [{"a.c": "int  x ;\n"}], {"a.c": "int x;\n"})


if __name__ == "__main__":
    if "--fix" in sys.argv[1:]:
        print(format_files(paths.ROOT, ["-i"]), end="")
    else:
        checker.main(check, self_test)
