#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Configures and builds a preset. Usage: build.py <preset> [option=value...]"""

import os
import subprocess
import sys

import paths


class BuildError(Exception):
    """The build failed; the text is its output."""


def run(command, quiet):
    """Runs a command in the root; quiet: its output is only seen in the BuildError."""
    sink = subprocess.PIPE if quiet else None
    done = subprocess.run(command, cwd=paths.ROOT, stdout=sink, stderr=subprocess.STDOUT if quiet else
                          None, text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise BuildError(done.stdout or f"{command[0]} failed")


def build(preset, quiet=False):
    """Builds a preset; configures it first when that was never done."""
    folder = paths.build_dir(preset)
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        run(["cmake", "--preset", preset, "--log-level=WARNING"], True)
    # Ninja says what it does only when there is something to do, so a build with nothing to do is silent.
    run(["ninja", "-C", folder, "--quiet"], quiet)


def build_apart(source, program, quiet=False, name=None, options=()):
    """Builds tests/<source> with the machine's own compilers in build/<name>; its program's path."""
    folder = os.path.join(paths.BUILD, name or source)
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        run(["cmake", "-S", os.path.join("tests", source), "-B", folder, "-G", "Ninja", "--log-level=WARNING",
             *options], True)
    run(["ninja", "-C", folder, "--quiet"], quiet)
    return os.path.join(folder, program)


def main():
    try:
        build(sys.argv[1] if len(sys.argv) > 1 else "release")
    except BuildError as error:
        sys.exit(f"build: {error}")


if __name__ == "__main__":
    main()
