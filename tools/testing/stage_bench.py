# SPDX-License-Identifier: MIT
"""The figures against the committed table: more than 3% above it fails."""

import bench


def run_bench(context):
    """A test for each row of tests/bench/baseline.csv; in the default run only the quick ones."""
    report = context.report
    quick = {name for name, row in bench.read_table("targets.csv").items() if row["quick"] == "yes"}
    names = [name for name in bench.read_table("baseline.csv")
             if report.is_chosen(f"bench.{name}") and (context.long or name in quick)]
    if not names:
        return
    with report.stage("bench"):
        try:
            rows = bench.measure()
        except bench.BenchError as error:
            report.note(str(error))
            for name in names:
                report.result("bench", f"bench.{name}", False, "the benchmarks did not end")
            return
        for name, reason in bench.left_out().items():
            if name in names:
                report.result("bench", f"bench.{name}", True, skip=reason)
        for name, problem in bench.regressions(rows, names.__contains__).items():
            report.result("bench", f"bench.{name}", problem is None, problem or "")
