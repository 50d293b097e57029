# SPDX-License-Identifier: MIT
"""The runner itself: every planned test yields exactly one line, whatever the program does."""

import io
import os

from qemu import EXIT_FAILED, EXIT_OK, EXIT_PANIC, EXIT_TIMEOUT
from testing import stage_kernel
from testing.plan import PlanRunner, emitter, parse_plan, run_in_report
from testing.report import Report

PLAN = ["a.one", "a.two", "b.three"]


def run(*boots):
    """Runs PLAN against a list of (exit code, lines), one for each start."""
    results, starts, left = [], [], list(boots)

    def start(first, on_line):
        starts.append(first)
        code, lines = left.pop(0)
        for line in lines:
            on_line(line)
        return code
    problems = PlanRunner(PLAN, start, lambda name, outcome: results.append((name, outcome))).run()
    assert [name for name, _ in results] == PLAN, results
    return [outcome for _, outcome in results], problems, starts


def test_all_pass():
    """A clean run gives a passed line each and no complaint."""
    outcomes, problems, starts = run(
        (EXIT_OK, ["KTAP version 1", "1..3", "ok 1 a.one", "noise", "ok 2 a.two", "ok 3 b.three"]))
    assert all(outcome.passed for outcome in outcomes) and not problems and starts == [1]


def test_panic_fails_one_and_goes_on_behind_it():
    outcomes, problems, starts = run(
        (EXIT_PANIC, ["KTAP version 1", "ok 1 a.one", "panic: load fault", "  core 0"]),
        (EXIT_OK, ["KTAP version 1", "ok 3 b.three"]))
    assert [outcome.passed for outcome in outcomes] == [True, False, True]
    assert outcomes[1].reason == "panic: load fault" and "  core 0" in outcomes[1].output
    assert starts == [1, 3] and not problems


def test_hang_is_told_as_a_time_out():
    outcomes, _, starts = run(
        (EXIT_TIMEOUT, ["KTAP version 1", "ok 1 a.one", "ok 2 a.two"]))
    assert "time-out" in outcomes[2].reason and starts == [1]


def test_silent_test_is_a_failure():
    outcomes, _, _ = run((EXIT_OK, ["KTAP version 1", "ok 1 a.one", "ok 3 b.three"]))
    assert [outcome.passed for outcome in outcomes] == [True, False, True]
    assert outcomes[1].reason == "printed nothing"


def test_program_that_never_begins_is_not_started_for_each_test():
    outcomes, _, starts = run((EXIT_PANIC, ["garbage", "\x00\x1b[2J"]))
    assert not any(outcome.passed for outcome in outcomes) and starts == [1]


def test_many_hangs_end_the_stage():
    boots = [(EXIT_TIMEOUT, ["KTAP version 1"])] * 3
    outcomes, _, starts = run(*boots)
    assert not any(outcome.passed for outcome in outcomes) and len(starts) == 3


def test_exit_code_that_denies_the_lines_is_told():
    lines = ["KTAP version 1", "ok 1 a.one", "ok 2 a.two", "ok 3 b.three"]
    _, problems, _ = run((EXIT_FAILED, lines))
    assert problems
    lines[2] = "not ok 2 a.two # 1 checks failed"
    outcomes, problems, _ = run((EXIT_OK, lines))
    assert problems and not outcomes[1].passed and outcomes[1].reason == "1 checks failed"


def test_second_line_for_a_test_is_told():
    _, problems, _ = run(
        (EXIT_OK, ["KTAP version 1", "ok 1 a.one", "ok 1 a.one", "ok 2 a.two", "ok 3 b.three"]))
    assert problems and "unplanned" in problems[0]


def test_skip_keeps_its_reason():
    outcomes, _, _ = run(
        (EXIT_OK, ["KTAP version 1", "ok 1 a.one # SKIP no second core", "ok 2 a.two", "ok 3 b.three"]))
    assert outcomes[0].skip == "no second core" and not outcomes[1].skip


def test_plan_is_read_from_comment_lines():
    lines = ["OpenSBI v1.0", "KTAP version 1", "1..2", "# 1 a.one", "# 2 a.two", "# two words here"]
    assert parse_plan(lines) == ["a.one", "a.two"]


def test_last_line_counts_and_one_failure_fails_the_run():
    out = io.StringIO()
    report = Report("a.*", out)
    assert report.is_chosen("a.one") and not report.is_chosen("b.three")
    runner = PlanRunner(PLAN[:2], lambda first, hear: [hear("ok 1 a.one"), hear("not ok 2 a.two")] and 1,
                        emitter(report, "stage"))
    assert not runner.run()
    assert report.finish() == 1
    lines = out.getvalue().splitlines()
    assert lines[-1] == "1 passed, 1 failed"
    assert "not ok 2 stage: a.two # failed" in lines and "1..2" in lines


def test_program_that_cannot_be_started_fails_each_test_with_the_reason():
    results = []

    def start(first, on_line):
        if first == 1:
            on_line("ok 1 a.one")
            return EXIT_PANIC
        raise OSError("no pseudo terminal for qemu: out of pty devices")
    PlanRunner(PLAN, start, lambda name, outcome: results.append(outcome)).run()
    assert [outcome.passed for outcome in results] == [True, False, False]
    assert "out of pty devices" in results[2].reason, results[2]


def test_machine_without_a_pseudo_terminal_is_a_failed_test_and_no_traceback():
    """The stage of user programs, the sessions' own error, the report."""
    from testing import session, stage_user  # pexpect is loaded by no other test of this file

    def refuse(*_, **__):
        raise OSError("out of pty devices")
    spawn, session.pexpect.spawn = session.pexpect.spawn, refuse
    out = io.StringIO()
    try:
        report = Report("call.*", out)
        machine = stage_user.Machine(preset="debug", smp=1)
        run_in_report(report, "user", PLAN, machine.start("test-call", PLAN, "*"))
    finally:
        session.pexpect.spawn = spawn
    assert report.failed == len(PLAN), out.getvalue()
    assert "not ok 1 user: a.one" in out.getvalue() and "out of pty devices" in out.getvalue()


def test_seeds_are_one_or_a_range_and_anything_else_is_refused():
    def parse(text):
        os.environ["SEED"] = text
        try:
            return stage_kernel.seeds_from_environment()
        except SystemExit as error:
            return str(error)
        finally:
            del os.environ["SEED"]
    assert list(parse("7")) == [7] and list(parse("2-4")) == [2, 3, 4]
    for wrong in ("x", "3-", "-3", "4-2", "1-2-3"):
        assert wrong in str(parse(wrong)), wrong
