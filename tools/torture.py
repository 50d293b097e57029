#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make torture`: work without an end on every core, which must leave the machine as it was.

Variables: T (a pattern of names), SECONDS (of each), SEED (chosen and printed when there is none), and the
machine's: SMP, MEM, PRESET, APPEND, QEMU. The exit code is the machine's: 0 balanced, 1 something is missing
or a check failed, 2 panic, 3 a hang that the kernel's watch saw, 124 no sign of life at all.
Everything that was printed is in build/torture/<seed>.log. The seed sets what the threads do; what they meet is the machine's
timing, so that a seed narrows a failure down but need not repeat it.
"""

import os
import random
import sys

import build
import paths
import patterns
import qemu
from testing import records

QUIET_LIMIT_S = 60.0
START_LIMIT_S = 60.0
SHOWN_LINES = 40


def available(preset):
    """{name: what it does}, read from the image."""
    return records.kernel_tortures(paths.kernel(preset))


def run(pattern, seconds, seed, on_line, preset="release", smp=4, mem="512M", append="", count=1):
    """Runs the tortures that match on one machine; answers its exit code."""
    words = f"{append} torture={pattern} torture_seconds={seconds} torture_seed={seed}"

    def hear(text):
        on_line(text)
        return text.startswith("torture ")
    line = qemu.command(preset, smp=smp, mem=mem, append=words.strip())
    # Guest time may pass slower than the host's when there are more harts than cores.
    return qemu.batch(line, hear, QUIET_LIMIT_S, START_LIMIT_S + 3 * count * (seconds + QUIET_LIMIT_S))


def number(name, otherwise):
    text = os.environ.get(name) or str(otherwise)
    if not text.isdigit():
        sys.exit(f"torture: {name} is a number, not '{text}'")
    return int(text)


def choose(pattern, there):
    """The names that match; without any, a list of what there is, and the end."""
    chosen = [name for name in there if patterns.matches(name, pattern)]
    if not chosen:
        listed = "\n".join(f"  {name:<12} {text}" for name, text in there.items())
        sys.exit(f"torture: T= is a pattern of these names, not '{pattern}':\n{listed}")
    return chosen


def main():
    get = os.environ.get
    preset, pattern = get("PRESET") or "release", patterns.from_environment("T", "")
    seconds, smp = number("SECONDS", 60), number("SMP", 4)
    seed = number("SEED", random.randrange(1, 1 << 31))
    mem = get("MEM") or "512M"
    try:
        build.build(preset)
    except build.BuildError as error:
        sys.exit(f"torture: {error}")
    chosen = choose(pattern, available(preset))
    print(f"make torture T='{pattern}' SECONDS={seconds} SMP={smp} MEM={mem} PRESET={preset} SEED={seed}",
          flush=True)
    folder, lines = os.path.join(paths.BUILD, "torture"), []
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{seed}.log")
    with open(path, "w", encoding="utf-8") as log:
        def hear(text):
            print(text, file=log, flush=True)
            lines.append(text)
            del lines[:-SHOWN_LINES]
            if text.startswith("torture "):
                print(text, flush=True)
        code = run(pattern, seconds, seed, hear, preset, smp, mem, get("APPEND") or "", len(chosen))
    if code != qemu.EXIT_OK:
        print("\n".join(lines))
    print(f"{qemu.MEANING.get(code, 'unknown') if code else 'balanced'}; {os.path.relpath(path, paths.ROOT)}")
    sys.exit(code)


if __name__ == "__main__":
    main()
