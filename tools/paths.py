# SPDX-License-Identifier: MIT
"""Where things are: the root of the tree and the output of each build."""

import os

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build")
QEMU10 = os.path.join(BUILD, "toolchain", "qemu10")


def build_dir(preset):
    """The output folder of a preset."""
    return os.path.join(BUILD, preset)


def kernel(preset):
    return os.path.join(build_dir(preset), "baton.elf")


def archive(preset):
    return os.path.join(build_dir(preset), "boot.cpio")
