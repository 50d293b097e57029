# SPDX-License-Identifier: MIT
"""What only `make test-long` runs: repeats of the suite, and every mutant."""

import mutants
from testing import stage_kernel

REPEATS = 100


def run_long(context):
    report = context.report
    for smp in (1, 2, 4, 8):
        for repeat in range(REPEATS):
            stage_kernel.run_suite(context, f"repeat{repeat + 1} smp{smp}", "release", smp)
    with report.stage("mutants"):
        for mutant in mutants.load():
            name = f"mutants.{mutant.name}"
            if report.is_chosen(name):
                verdict = mutants.try_mutant(mutant)
                report.result("mutants", name, verdict.caught, verdict.text)
