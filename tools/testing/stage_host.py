# SPDX-License-Identifier: MIT
"""The builds and the host unit tests."""

import os
import subprocess

import build
import paths
import qemu
from testing import plan

PRESETS = ("release", "debug", "release-clang", "debug-clang")
HANG_LIMIT_S = 120.0


def run_builds(context):
    """Builds what later stages boot; the clang builds only prove that they build. False: give up."""
    report, usable = context.report, True
    with report.stage("build"):
        for preset in PRESETS:
            name = f"build.{preset.replace('-', '_')}"
            needed = preset in ("release", "debug")
            if not needed and not report.is_chosen(name):
                continue
            try:
                build.build(preset, quiet=True)
                if report.is_chosen(name):
                    report.result("build", name, True)
            except build.BuildError as error:
                report.note(str(error)[-6000:])
                report.result("build", name, False, "does not build")
                usable &= not needed
        run_option_checks(report)
    return usable


def run_option_checks(report):
    name = "build.unknown_option_is_refused"
    if report.is_chosen(name):
        folder = os.path.join(paths.BUILD, "option-check")
        done = subprocess.run(
            ["cmake", "--preset", "debug", "-B", folder, "-DBATON_NO_SUCH_OPTION=1"], cwd=paths.ROOT,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        refused = done.returncode != 0 and "Unknown option BATON_NO_SUCH_OPTION" in done.stdout
        report.result("build", name, refused, "cmake accepted it")
    name = "build.same_sources_same_image"
    if report.is_chosen(name):
        first, second = (digest_of_build(preset, report) for preset in ("release", "release-again"))
        report.result("build", name, first == second and first is not None,
                      "two builds of the same sources differ")


def digest_of_build(name, report):
    """The bytes of kernel and archive of the release preset, built in build/<name>."""
    folder = os.path.join(paths.BUILD, name)
    try:
        if name != "release":
            build.run(["cmake", "--preset", "release", "-B", folder, "--log-level=WARNING"], True)
            build.run(["ninja", "-C", folder, "--quiet"], True)
        contents = []
        for file_name in ("baton.elf", "boot.cpio"):
            with open(os.path.join(folder, file_name), "rb") as file:
                contents.append(file.read())
        return contents
    except (build.BuildError, OSError) as error:
        report.note(str(error)[-2000:])
        return None


def run_host_tests(context):
    """Unit tests of code that needs no machine, under the sanitizers."""
    report = context.report
    with report.stage("host"):
        try:
            program = build.build_apart("host", "host-tests", quiet=True)
        except build.BuildError as error:
            report.note(str(error)[-6000:])
            report.result("host", "build.host", False, "does not build")
            return
        done = subprocess.run([program, "--list"], stdout=subprocess.PIPE, text=True, check=False)
        names = [name for name in plan.parse_plan(done.stdout.splitlines()) if report.is_chosen(name)]

        def start(first, on_line):
            line = [program, f"--from={first}", report.pattern or "*"]
            return qemu.batch(line, on_line, HANG_LIMIT_S)
        plan.run_in_report(report, "host", names, start)
