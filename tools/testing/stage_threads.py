# SPDX-License-Identifier: MIT
"""The host tests that run threads, under the thread sanitizer.

Rules:
- The same program as in stage_host.py, built without assertions and with -fsanitize=thread; of its tests those
  whose name has the word threads. A data race fails the test that it happened in.
- The thread sanitizer knows no fences: code that is ordered by fence_*() alone would be reported falsely, and
  is not run here but under the model checker (stage_relacy.py). What the tests of threads do hangs on none.
- A long run does 10^7 random operations, in parts with a seed each, so that a failure can be had again:
  BATON_SEED=<seed> build/host-thread/host-tests 'threads.*'.
"""

import os
import subprocess

import build
from testing import plan

OPERATIONS = 100_000
# Tests whose operations are short.
MORE_OPERATIONS = {"threads.wake_ups_reach_sleepers_through_the_inboxes_of_their_cores": 1_000_000}
LONG_OPERATIONS = 10_000_000
PART_OPERATIONS = 1_000_000
TIME_LIMIT_S = 600
SHOWN_LINES = 60


def execute(program, pattern, operations, seed):
    """(passed, output)"""
    environment = {**os.environ, "BATON_OPERATIONS": str(operations), "BATON_SEED": str(seed)}
    try:
        done = subprocess.run([program, pattern], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=TIME_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return False, f"no end within {TIME_LIMIT_S} s"
    return done.returncode == 0, done.stdout


def report_result(report, name, passed, output):
    if not passed:
        report.note("\n".join(output.splitlines()[:SHOWN_LINES]))
    report.result("threads", name, passed, "see above")


def run_threads(context):
    report = context.report
    if report.pattern and not report.pattern.startswith(("tsan", "*")):
        return
    with report.stage("threads"):
        try:
            program = build.build_apart("host", "host-tests", quiet=True, name="host-thread",
                                        options=["-DHOST_SANITIZERS=thread"])
        except build.BuildError as error:
            report.note(str(error)[-6000:])
            report.result("threads", "build.host_thread", False, "does not build")
            return
        listed = subprocess.run([program, "--list"], stdout=subprocess.PIPE, text=True, check=False).stdout
        names = [name for name in plan.parse_plan(listed.splitlines()) if "threads" in name]
        for name in names:
            if report.is_chosen(f"tsan.{name}"):
                report_result(report, f"tsan.{name}", *execute(program, name, MORE_OPERATIONS.get(name, OPERATIONS), 1))
        if context.long:
            for seed in range(2, 2 + LONG_OPERATIONS // PART_OPERATIONS):
                name = f"tsan.threads.seed_{seed}"
                if report.is_chosen(name):
                    report_result(report, name, *execute(program, "threads.*", PART_OPERATIONS, seed))
