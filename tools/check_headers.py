#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that each header compiles alone, with the flags of its side, and may be included twice."""

import concurrent.futures
import os
import subprocess

import checker

COMMON = ["riscv64-unknown-elf-gcc", "--specs=picolibc.specs", "-std=gnu11", "-mcmodel=medany",
          "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wundef", "-Werror", "-fsyntax-only",
          "-DBATON_DEBUG=1", "-DBATON_TESTS=1"]
KERNEL = ["-march=rv64imac", "-mabi=lp64", "-misa-spec=2.2", "-ffreestanding", "-DBATON_KERNEL=1"]
USER = ["-march=rv64gc", "-mabi=lp64d", "-DBATON_KERNEL=0"]


def sides(path):
    """The flag sets that a header must compile with: user headers, shared ones, kernel ones."""
    if path.startswith("user/"):
        return [USER]
    if path.startswith("kernel/abi/") or path.endswith("/protocol.h"):
        return [KERNEL, USER]
    return [KERNEL]


def compile_header(root, path):
    language = "c"
    if checker.is_assembly(root, path):
        language = "assembler-with-cpp"
    for side in sides(path):
        text = f'#include "{path}"\n' * 2
        line = COMMON[:1] + side + COMMON[1:] + ["-I", root, "-x", language, "-"]
        if language != "c":  # the assembler has no option that only checks
            line = [word for word in line if word != "-fsyntax-only"] + ["-c", "-o", os.devnull]
        done = subprocess.run(line, input=text, text=True, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            errors = [line for line in done.stdout.splitlines() if "error" in line] or [done.stdout]
            return f"{path}: does not compile alone: {errors[0]}"
    return None


def check(root):
    headers = [path for path in checker.files(root, (".h",)) if not path.startswith(("tests/host/", "tests/host_bench/"))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda path: compile_header(root, path), headers)
    return [problem for problem in results if problem]


def self_test():
    bad = [{"mm/a.h": "#pragma once\nuint32_t x(void);\n"}, {"mm/a.h": "struct a { int b; };\n"}]
    good = {"mm/a.h": "#pragma once\n#include <stdint.h>\nuint32_t x(void);\n"}
    return checker.expect(check, bad, good)


if __name__ == "__main__":
    checker.main(check, self_test)
