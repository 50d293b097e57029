# SPDX-License-Identifier: MIT
"""What only `make test-long` runs: repeats of the suite, long random runs, and every mutant."""

import itertools
import os
import subprocess

import build
import mutants
from testing import stage_kernel

REPEATS = 100
RANDOM_ROUNDS = 10_000_000
RANDOM_SEEDS = (1, 2, 3)


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


def run_long(context):
    report = context.report
    for smp in (1, 2, 4, 8):
        for repeat in range(REPEATS):
            stage_kernel.run_suite(context, f"repeat{repeat + 1} smp{smp}", "release", smp)
    with report.stage("long random"):
        run_random(context)
    with report.stage("mutants"):
        for mutant in mutants.load():
            name = f"mutants.{mutant.name}"
            if report.is_chosen(name):
                verdict = mutants.try_mutant(mutant)
                report.result("mutants", name, verdict.caught, verdict.text)
