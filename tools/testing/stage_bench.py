# SPDX-License-Identifier: MIT
"""The figures against the committed table, and on a large machine against a small one: more than 3% above fails."""

import bench
import qemu


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


def run_sizes(context):
    """A call and a look-up cost the same however many ports, domains and names there are; in the default run fewer domains."""
    report = context.report
    wanted = [f"grow_{what}" for what in ("ports", "kernel_ports", "domains", "kernel_domains", "names")]
    names = [name for name in wanted if report.is_chosen(f"bench.{name}")]
    if not names:
        return
    with report.stage("bench sizes"):
        try:
            problems = bench.steep(bench.measure_sizes(bench.SIZES if context.long else bench.SIZES_QUICK))
        except bench.BenchError as error:
            report.note(str(error))
            problems = {}
        for name in names:
            problem = problems.get(name, "not measured")
            report.result("bench", f"bench.{name}", problem is None, problem or "")


def run_flat(context):
    """A test for each row: it costs on the machine with most harts and memory what it costs on the smallest."""
    report = context.report
    smallest, largest = bench.FLAT[0], bench.FLAT[-1]
    names = [name for name in bench.read_table("baseline.csv")
             if report.is_chosen(f"bench.flat_{name}") and name not in bench.several_harts()]
    if not names:
        return
    with report.stage("bench flat"):
        try:
            machines = bench.measure_flat(machines=(smallest, largest))
        except bench.BenchError as error:
            report.note(str(error))
            machines = {smallest: {}, largest: {}}
        if not machines:
            for name in names:
                report.result("bench", f"bench.flat_{name}", True, skip=qemu.qemu10()[1])
            return
        problems = bench.growth(machines[smallest], machines[largest])
        for name in names:
            problem = problems.get(name, "not measured on both machines")
            report.result("bench", f"bench.flat_{name}", problem is None, problem or "")
