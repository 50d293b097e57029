# SPDX-License-Identifier: MIT
"""The in-kernel suite: on several numbers of harts, with seeds under QEMU 10, and the exit codes."""

import hashlib
import os
import re
import sys

import paths
import qemu
from testing import plan, records

QUIET_LIMIT_S = 60.0
SEEDS = (1, 2, 3)
SEEDS_LONG = range(1, 17)


def boot_arguments(pattern, first, more=()):
    words = [f"test={pattern or '*'}", *more]
    if first > 1:
        words.append(f"test_from={first}")
    return " ".join(words)


def chosen_plan(context, preset):
    """The chosen part of the plan, read from the image itself."""
    if preset not in context.plans:
        context.plans[preset] = records.kernel_tests(paths.kernel(preset))
    return [name for name in context.plans[preset] if context.report.is_chosen(name)]


def run_suite(context, stage, preset, smp, extra=(), program=None, log=None, arguments=()):
    """The chosen tests on one machine; arguments are more boot arguments."""
    names = chosen_plan(context, preset)

    def start(first, on_line):
        append = boot_arguments(context.report.pattern, first, arguments)
        line = qemu.command(preset, smp=smp, append=append, extra=extra, qemu=program)

        def hear(text):
            if log is not None:
                log.append(text)
            return on_line(text)
        return qemu.batch(line, hear, QUIET_LIMIT_S)

    with context.report.stage(stage):
        plan.run_in_report(context.report, stage, names, start)


def run_harts(context):
    """1, 2 and 4 harts with assertions; without ASIDs, and with one that all spaces share; 4 as
    `make run` boots; more in the long run."""
    for smp in (1, 2, 4):
        run_suite(context, f"kernel smp{smp}", "debug", smp)
    for asids in (0, 1):
        run_suite(context, f"kernel asids{asids}", "debug", 2, arguments=[f"asids={asids}"])
    run_suite(context, "kernel release smp4", "release", 4)
    if context.long:
        for smp in (8, 16):
            run_suite(context, f"kernel smp{smp}", "debug", smp)


def run_seeds(context, seeds=None):
    """Four harts under QEMU 10, deterministic: another seed is another interleaving."""
    program, reason = qemu.qemu10()
    for seed in seeds or (SEEDS_LONG if context.long else SEEDS):
        stage = f"kernel seed{seed}"
        if program is None:
            for name in chosen_plan(context, "debug"):
                context.report.result(stage, name, True, skip=reason)
            continue
        run_suite(context, stage, "debug", 4, qemu.seeded(seed), program)
    name = "seeds.same_seed_same_run"
    if context.report.is_chosen(name):
        if program is None:
            context.report.result("seeds", name, True, skip=reason)
            return
        prints = [console_print(program, seed=1) for _ in range(2)]
        context.report.result("seeds", name, prints[0] == prints[1],
                              "two runs with one seed printed different things")


def console_print(program, seed):
    """A hash over everything that a seeded machine printed, running the tests of a few groups."""
    digest = hashlib.sha256()
    line = qemu.command("debug", smp=4, append="test=t*", extra=qemu.seeded(seed), qemu=program)
    qemu.batch(line, lambda text: digest.update(text.encode() + b"\n") or True, QUIET_LIMIT_S)
    return digest.hexdigest()


# Test that fails on purpose -> exit code, and the result line that it must print (None: no line).
EXIT_CODES = {
    "pass": (qemu.EXIT_OK, "ok"),
    "fail": (qemu.EXIT_FAILED, "not ok"),
    "leak": (qemu.EXIT_FAILED, "not ok"),
    "panic": (qemu.EXIT_PANIC, None),
    "fault": (qemu.EXIT_PANIC, None),
    "overflow": (qemu.EXIT_PANIC, None),
    "lockup": (qemu.EXIT_LOCKUP, None),
    "fault_in_panic": (qemu.EXIT_PANIC, None),
    "panic_in_panic": (qemu.EXIT_PANIC, None),
}
# What a test that fails on purpose must print besides.
PRINTS = {
    "fault_in_panic": "panic inside the panic report: store to an address that is not mapped writable, at 0x8",
    "panic_in_panic": "panic inside the panic report: assertion failed: BUG_ON(timer_now_ns() > 0)",
}
CHILD_LIMIT_S = 30.0
# It reads the argument test= itself.
ARGUMENTS_TEST = " boot.arguments_are_found_by_name"

# Wrong use of the allocator (tests/kernel/spmalloc_wrong_test.c) -> what the machine must say, by preset.
DOUBLE = r"panic: .*spmalloc: double free of 0x"
FOREIGN = r"no page record at that address: a foreign pointer|spmalloc: free of .*foreign pointer.*in no memory bank"
WRITTEN = r"panic: .*spmalloc: write after free or overflow into the free object 0x"
WRONG_USES = {
    "double_free": {"release": DOUBLE, "debug": DOUBLE + r".*freed before by test_selftest_double_free\+"},
    "double_free_elsewhere": {"release": DOUBLE},
    "free_of_the_inside": {"release": r"panic: .*spmalloc: free of 0x.*not the start of an object"},
    "free_of_a_page": {"release": r"panic: .*foreign pointer: its page is a single page of mm/nexus"},
    "free_of_the_image": {"release": FOREIGN, "debug": FOREIGN},
    "free_of_the_stack": {"release": FOREIGN},
    "free_of_a_user_address": {"release": FOREIGN},
    "write_after_free": {"release": WRITTEN},
    "overflow_by_one_byte": {
        "release": WRITTEN,
        "debug": r"panic: .*overflow.*behind the end of .*allocated by test_selftest_overflow"},
    "leak_of_a_domain": {
        "release": r"^spmalloc: leak: 0x.*, 128 bytes",
        "debug": r"^spmalloc: leak: 0x.*, 100 bytes, allocated by test_selftest_leak_of_a_domain\+"},
}


def run_wrong_uses(context):
    """Each wrong use of the allocator ends its machine, or at least its test, with words that name it."""
    report = context.report
    with report.stage("wrong uses"):
        for name, texts in WRONG_USES.items():
            for preset, text in texts.items():
                full = f"wrong_use.{name}_is_named_in_{preset}"
                if not report.is_chosen(full):
                    continue
                lines = []
                line = qemu.command(preset, smp=2, append=f"test=selftest.{name}")
                code = qemu.batch(line, lambda heard: lines.append(heard) or True, CHILD_LIMIT_S)
                wanted = qemu.EXIT_FAILED if text.startswith("^") else qemu.EXIT_PANIC
                named = any(re.search(text, heard) for heard in lines)
                report.result("wrong uses", full, code == wanted and named,
                              f"the code is {code}, the text came: {named}")


def run_exit_codes(context):
    """Each exit code, proven by a child machine that ends so on purpose."""
    report = context.report
    with report.stage("exit codes"):
        for name, (wanted, verdict) in EXIT_CODES.items():
            full = f"exit.{name}_has_code_{wanted}"
            if report.is_chosen(full):
                code, seen, text = run_selftest(name)
                printed = PRINTS.get(name, "") in text
                report.result("exit", full, code == wanted and seen == verdict and printed,
                              f"the code is {code}, the result is {seen}"
                              + ("" if printed else f", and it does not print '{PRINTS[name]}'"))
        full = f"exit.hang_has_code_{qemu.EXIT_TIMEOUT}"
        if report.is_chosen(full):
            line = qemu.command("debug", smp=1, append="test=selftest.sleep")
            code = qemu.batch(line, lambda text: False, quiet_limit_s=3.0)
            report.result("exit", full, code == qemu.EXIT_TIMEOUT, f"the code is {code}")
        full = "exit.pattern_without_match_is_an_error"
        if report.is_chosen(full):
            line = qemu.command("debug", smp=1, append="test=no_such_test")
            code = qemu.batch(line, lambda text: True, CHILD_LIMIT_S)
            report.result("exit", full, code == qemu.EXIT_FAILED, f"the code is {code}")
        full = "exit.empty_pattern_is_every_test"
        if report.is_chosen(full):
            wanted = f"1..{len(records.kernel_tests(paths.kernel('debug')))}"
            lines = lines_until("test=", ARGUMENTS_TEST)
            report.result("exit", full, wanted in lines and lines[-1].startswith("ok "),
                          f"no line '{wanted}'" if wanted not in lines else "\n".join(lines[-2:]))


class Heard(Exception):
    """Ends a machine that has said what was awaited."""


def lines_until(append, word):
    """What a machine prints, up to the first line that has the word."""
    lines = []

    def hear(text):
        lines.append(text)
        if word in text:
            raise Heard
        return True
    try:
        qemu.batch(qemu.command("debug", smp=1, append=append), hear, CHILD_LIMIT_S)
    except Heard:
        pass
    return lines


def run_selftest(name):
    """(exit code, verdict of its result line or None, its text) of the in-kernel test selftest.<name>."""
    verdicts, lines = [], []

    def hear(text):
        lines.append(text)
        match = plan.RESULT.match(text)
        if match and match.group(3) == f"selftest.{name}":
            verdicts.append(match.group(1))
        return True
    line = qemu.command("debug", smp=2, append=f"test=selftest.{name}")
    code = qemu.batch(line, hear, CHILD_LIMIT_S)
    return code, verdicts[0] if verdicts else None, "\n".join(lines)


def seeds_from_environment():
    """SEED=7 or SEED=1-100; None without it."""
    text = os.environ.get("SEED") or ""
    first, dash, last = text.partition("-")
    if not text:
        return None
    if not first.isdigit() or (dash and not last.isdigit()) or int(last or first) < int(first):
        sys.exit(f"test: SEED is a number or two, as in 1-100, not '{text}'")
    return range(int(first), int(last or first) + 1)
