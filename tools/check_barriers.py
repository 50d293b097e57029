#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that every ordering atomic and fence says what it pairs with.

The words "pairs with", or "nothing to pair", stand in a comment on the line itself, on the four
lines above, or anywhere in the comment block that ends there. The wrappers themselves are exempt.
"""

import re

import checker

EXEMPT = re.compile(r"kernel/base/atomic(_\w+)?\.h")
REACH = 4
C_USE = re.compile(r"__ATOMIC_(ACQUIRE|RELEASE|ACQ_REL|SEQ_CST)|memory_order_(acq|rel|seq)"
                   r"|\b(atomic_\w+_(acquire|release|acq_rel|seq_cst)|fence_(?!compiler)\w+)\s*\("
                   r"|\batomic_thread_fence\b|\b__sync_\w+")
# A fence or an ordered atomic instruction, in a .S file or in inline assembly; sfence.vma and fence.i
# order no data.
ASM_USE = re.compile(r"(^|[\s\";])(fence(\s+[iorw]+\s*,\s*[iorw]+|\s*($|[\\\";]))|"
                     r"(amo\w+|lr|sc)\.[wd]\.(aq|rl|aqrl)\b)")
SAID = re.compile(r"pairs? with|nothing to pair", re.IGNORECASE)


def strip_comments(text):
    """The lines without their comments (and what was inside of them kept apart)."""
    code, comments, inside = [], [], False
    for line in text:
        kept, said, rest = "", "", line
        while rest:
            if inside:
                end = rest.find("*/")
                said += rest if end < 0 else rest[:end]
                rest = "" if end < 0 else rest[end + 2:]
                inside = end < 0
            else:
                start = re.search(r"/\*|//", rest)
                kept += rest if not start else rest[:start.start()]
                if not start:
                    rest = ""
                elif start.group() == "//":
                    said, rest = said + rest[start.end():], ""
                else:
                    inside, rest = True, rest[start.end():]
        code.append(kept)
        comments.append(said if said or not inside else " ")
    return code, comments


def is_explained(code, comments, index):
    first = max(0, index - REACH)
    # A comment block that reaches into the window counts from its start.
    while first > 0 and comments[first] and not code[first].strip():
        first -= 1
    return bool(SAID.search(" ".join(comments[first:index + 1])))


def check(root):
    problems = []
    for path in checker.files(root, (".c", ".h", ".S")):
        if EXEMPT.fullmatch(path):
            continue
        code, comments = strip_comments(checker.lines(root, path))
        for index, line in enumerate(code):
            used = C_USE.search(line) or ASM_USE.search(line)
            if used and not line.lstrip().startswith("#include") and not is_explained(
                    code, comments, index):
                problems.append(f"{path}:{index + 1}: `{used.group().strip()}` does not say what it "
                                "pairs with")
    return problems


def self_test():
    use = "    atomic_store_release(&a, 1);\n"
    far = "    x();\n" * 5
    bad = [
        {"a.c": use},
        {"a.c": "/* release: pairs with b */\n" + far + use},
        {"a.c": "    fence_seq_cst();\n"},
        {"a.c": "    x = __atomic_load_n(&y, __ATOMIC_ACQUIRE);\n"},
        {"a.S": "    fence rw, rw\n"},
        {"a.S": "    amoswap.w.aq a0, a1, (a2)\n"},
        {"a.c": '    __asm__ volatile("fence rw,w" ::: "memory");\n'},
        {"a.c": "// see atomic\n" + use},
    ]
    good = {
        "a.c": "/* release: pairs with b */\n" + use + "/*\n * A long one: pairs with c.\n"
               + " * More\n" * 6 + " */\n" + use + "    atomic_load_relaxed(&a);\n",
        "b.S": "    fence rw, rw /* pairs with d */\n\n\n\n\n    sfence.vma\n    fence.i\n",
        "c.c": "/* a fence w,w is needed */\n    x(); /* full fence_seq_cst() below */\n",
    }
    return checker.expect(check, bad, good)


if __name__ == "__main__":
    checker.main(check, self_test)
