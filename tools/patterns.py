# SPDX-License-Identifier: MIT
"""Patterns of names (T=, B=), as each matcher here, in the kernel, on the host and in user programs reads them.

Rules: `*` is any text, `?` any one character, everything else itself. What only some of them would take is refused.
"""

import fnmatch
import os
import sys

LENGTH_MAX = 95  # tests/kernel/suite.c keeps that much


def complaint(pattern):
    """Why this is no pattern for all of them, or None."""
    if "[" in pattern or "]" in pattern:
        return "has * for any text and ? for any one character; there are no sets like [ab]"
    if any(letter.isspace() for letter in pattern):
        return "has no blanks: it is one word of the boot arguments; ? stands for a blank"
    if len(pattern) > LENGTH_MAX:
        return f"has at most {LENGTH_MAX} characters"
    return None


def from_environment(variable, otherwise=None):
    """The pattern in a variable; ends the program with one line when it is none."""
    pattern = os.environ.get(variable) or otherwise
    reason = complaint(pattern or "")
    if reason:
        sys.exit(f"{variable}={pattern}: a pattern {reason}")
    return pattern


def matches(name, pattern):
    """Does the name match? The pattern has been looked at (from_environment)."""
    return fnmatch.fnmatchcase(name, pattern)
