#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The whole suite, as KTAP. Variables: T (a pattern of test names), SEED (replays one seed, or 1-100).

Usage: test.py [--long] [--stop]
--long adds what takes longer; --stop ends the run after the first stage with a failure.
"""

import sys

import patterns
from testing import (stage_bench, stage_functions, stage_host, stage_house, stage_kernel,
                     stage_long, stage_models, stage_relacy, stage_threads, stage_torture)
from testing.report import Report


class Context:
    """What all stages share."""

    def __init__(self, report, is_long):
        self.report = report
        self.long = is_long
        self.plans = {}  # preset -> names of its in-kernel tests


def stages(context):
    """Runs a stage for each step of the iteration, so that the caller can stop between two."""
    stage_house.run_house(context)
    yield
    stage_models.run_models(context)
    yield
    stage_host.run_host_tests(context)
    yield
    stage_threads.run_threads(context)
    yield
    stage_relacy.run_relacy(context)
    yield
    usable = stage_host.run_builds(context)
    stage_functions.run_functions(context, "runner")
    yield
    if not usable:
        context.report.note("the stages that boot are left out: the kernel does not build")
        return
    stage_kernel.run_harts(context)
    yield
    stage_kernel.run_seeds(context)
    yield
    stage_kernel.run_exit_codes(context)
    yield
    stage_torture.run_tortures(context)
    yield
    stage_kernel.run_wrong_uses(context)
    yield
    # pexpect is loaded only by runs that get here.
    from testing import stage_user
    from testing.session import Debugger, Shell
    stage_user.run_user(context)
    yield
    stage_functions.run_functions(context, "shell", Shell)
    yield
    stage_functions.run_functions(context, "boot")
    yield
    stage_functions.run_functions(context, "gdb", Debugger)
    yield
    stage_bench.run_bench(context)
    stage_bench.run_flat(context)
    stage_bench.run_sizes(context)
    if context.long:
        yield
        stage_long.run_long(context)


def main():
    pattern = patterns.from_environment("T")
    seeds = stage_kernel.seeds_from_environment()
    report = Report(pattern)
    context = Context(report, "--long" in sys.argv[1:])
    with report.stage("all together"):
        if seeds is not None:
            if stage_host.run_builds(context):
                stage_kernel.run_seeds(context, seeds)
        else:
            for _ in stages(context):
                if report.failed and "--stop" in sys.argv[1:]:
                    break
    if report.count() == 0:
        report.result("", "pattern", False, f"no test matches '{pattern}'")
    sys.exit(report.finish())


if __name__ == "__main__":
    main()
