# SPDX-License-Identifier: MIT
"""The house checks: every tools/check_*.py that has check() and self_test()."""

import glob
import importlib
import os

import checker
import paths

SHOWN = 40


def run_house(context):
    report = context.report
    with report.stage("house"):
        for path in sorted(glob.glob(os.path.join(paths.ROOT, "tools", "check_*.py"))):
            module_name = os.path.basename(path)[:-3]
            module = importlib.import_module(module_name)
            if not hasattr(module, "self_test"):
                continue
            name = "house." + module_name.removeprefix("check_")
            run_check(report, name, lambda module=module: module.check(paths.ROOT))
            run_check(report, name + "_can_fail", module.self_test)


def run_check(report, name, check):
    if not report.is_chosen(name):
        return
    try:
        problems = check()
    except checker.Skip as reason:
        report.result("house", name, True, skip=str(reason))
        return
    if problems:
        report.note("\n".join(problems[:SHOWN]))
    report.result("house", name, not problems, f"{len(problems)} problems")
