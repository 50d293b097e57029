# SPDX-License-Identifier: MIT
"""The protocol models of tests/models/: the quick checks, or all checks and mutants in a long run."""

import importlib.util
import os

import paths


def load_runner():
    """tests/models/run.py, which also runs alone."""
    spec = importlib.util.spec_from_file_location(
        "models_run", os.path.join(paths.ROOT, "tests", "models", "run.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_models(context):
    """A pattern that begins with `models` chooses among all of them."""
    report, runner = context.report, load_runner()
    quick = not context.long and not (report.pattern or "").startswith("models")
    chosen = [case for case in runner.cases(quick) if report.is_chosen(case.name)]
    missing = runner.missing_tool()
    with report.stage("models"):
        for case in chosen:
            if missing:
                report.result("models", case.name, True, skip=f"{missing} is not installed")
                continue
            verdict = runner.try_case(case)
            report.result("models", case.name, verdict.passed, verdict.text)
