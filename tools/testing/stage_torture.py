# SPDX-License-Identifier: MIT
"""A short run of each torture, and the proof that a torture can fail."""

import os
import subprocess
import sys

import paths
import qemu
import torture

SECONDS, SEED, SMP = 6, 1, 4
# So little that all of it is taken in the time.
MEM = {"mem_short": "128M"}

# On other numbers of cores than SMP.
CORES = {"call": (1, 2, 8), "ipc": (1, 2, 8), "letter": (1, 2, 8), "call_race": (1, 2, 8), "deadline": (1, 8)}

# Torture that fails on purpose -> exit code, and what it must print.
SELFTESTS = {
    "leak": (qemu.EXIT_FAILED, "not balanced"),
    "spoil": (qemu.EXIT_FAILED, "first_wrong"),
    "ledger": (qemu.EXIT_FAILED, "most_runs"),
    "hang": (qemu.EXIT_LOCKUP, "lock-up: torture.selftest_hang does not end"),
}


def run_one(report, name, full, smp):
    if report.is_chosen(full):
        code, lines = run(name, SECONDS, smp, MEM.get(name, "512M"))
        balanced = f"torture {name}: balanced, 0 checks failed" in lines
        if code != qemu.EXIT_OK:
            report.note("\n".join(lines[-torture.SHOWN_LINES:]))
        report.result("torture", full, code == qemu.EXIT_OK and balanced, f"the code is {code}, seed {SEED}")


def run_tortures(context):
    report = context.report
    with report.stage("torture"):
        for name in torture.available("debug"):
            run_one(report, name, f"torture.{name}", SMP)
            for smp in CORES.get(name, ()):
                run_one(report, name, f"torture.{name}_on_{smp}", smp)
        for name, (wanted, text) in SELFTESTS.items():
            full = f"torture.{name}_has_code_{wanted}"
            if report.is_chosen(full):
                code, lines = run(f"selftest_{name}", 1, 2, "512M")
                printed = any(text in line for line in lines)
                report.result("torture", full, code == wanted and printed,
                              f"the code is {code}" + ("" if printed else f", and it does not print '{text}'"))
        full = "torture.unknown_name_lists_what_there_is"
        if report.is_chosen(full):
            done = subprocess.run([sys.executable, "-B", os.path.join(paths.ROOT, "tools", "torture.py")], text=True,
                                  env={**os.environ, "T": "no-such-torture", "PRESET": "debug"}, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            missing = [name for name in torture.available("debug") if name not in done.stdout.split()]
            report.result("torture", full, done.returncode == 1 and not missing,
                          f"the code is {done.returncode}, not listed: {missing}")


def run(name, seconds, smp, mem):
    """(exit code, what was printed)."""
    lines = []
    code = torture.run(name, seconds, SEED, lines.append, "debug", smp, mem)
    return code, lines
