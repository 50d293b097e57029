# SPDX-License-Identifier: MIT
"""What only `make test-long` runs: repeats of the suite, long random runs, tortures until enough was counted, and every mutant."""

import itertools
import os
import re
import subprocess

import build
import mutants
import qemu
import torture
from testing import stage_kernel

REPEATS = 100
RANDOM_ROUNDS = 10_000_000
RANDOM_SEEDS = (1, 2, 3)
# Torture -> how much of what it counts is wanted, and how it prints that.
COUNTED = {
    "deadline": (100_000, r"torture deadline: (\d+) races, "),
    "flip": (1_000_000, r"torture flip: (\d+) operations of kind flip"),
}
COUNTED_SECONDS, COUNTED_SMP, COUNTED_RUNS = 60, 4, 20


def run_random(context):
    """The allocator and the timing wheel against their models, ten million operations for each seed."""
    program = build.build_apart("host", "host-tests", quiet=True)
    for seed, group in itertools.product(RANDOM_SEEDS, ("spmalloc", "wheel")):
        name = f"{group}.random_operations_seed{seed}"
        if context.report.is_chosen(name):
            environment = dict(os.environ, BATON_RANDOM_ROUNDS=str(RANDOM_ROUNDS), BATON_RANDOM_SEED=str(seed))
            done = subprocess.run([program, f"{group}.random_operations*"], env=environment, check=False,
                                  stdout=subprocess.PIPE, text=True)
            context.report.result("long", name, done.returncode == 0, done.stdout[-200:])


def run_counted(context):
    """Tortures, with a seed each time, until they have done as much as is wanted."""
    for name, (wanted, counter) in COUNTED.items():
        full = f"torture.{name}_{wanted}"
        if not context.report.is_chosen(full):
            continue
        done, seed, code = 0, 0, qemu.EXIT_OK
        while done < wanted and seed < COUNTED_RUNS and code == qemu.EXIT_OK:
            lines, seed = [], seed + 1
            code = torture.run(name, COUNTED_SECONDS, seed, lines.append, "release", COUNTED_SMP)
            done += sum(int(number) for number in re.findall(counter, "\n".join(lines)))
            context.report.note("\n".join(line for line in lines[-torture.SHOWN_LINES:]
                                          if code != qemu.EXIT_OK or re.match(counter, line)))
        context.report.result("long", full, code == qemu.EXIT_OK and done >= wanted,
                              f"{done} of {wanted}; the code is {code}, seed {seed}")


def run_long(context):
    report = context.report
    for smp in (1, 2, 4, 8):
        for repeat in range(REPEATS):
            stage_kernel.run_suite(context, f"repeat{repeat + 1} smp{smp}", "release", smp)
    with report.stage("long random"):
        run_random(context)
    with report.stage("long torture"):
        run_counted(context)
    with report.stage("mutants"):
        for mutant in mutants.load():
            name = f"mutants.{mutant.name}"
            if report.is_chosen(name):
                verdict = mutants.try_mutant(mutant)
                report.result("mutants", name, verdict.caught, verdict.text)
