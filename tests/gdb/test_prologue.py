# SPDX-License-Identifier: MIT
"""The reading of prologues (tools/gdb/batonlib/prologue.py), by instructions as compilers write them."""

import os
import struct
import sys

import paths

sys.path.append(os.path.join(paths.ROOT, "tools", "gdb"))

from batonlib import prologue  # noqa: E402  pylint: disable=wrong-import-position

ADD_SP_DOWN_32, SD_RA_24, SD_S0_16, ADD_S0_SP_32 = 0x1101, 0xec06, 0xe822, 0x1000
LD_RA_24, LD_S0_16, ADD_SP_UP_32, RET = 0x60e2, 0x6442, 0x6105, 0x8082
WIDE_ADD_SP_DOWN_2032, WIDE_SD_RA_2024 = 0x81010113, 0x7e113423
JAL_T0_BACK_16 = 0xff1ff2ef
PROLOGUE = (ADD_SP_DOWN_32, SD_RA_24, SD_S0_16, ADD_S0_SP_32)
EPILOGUE = (LD_RA_24, LD_S0_16, ADD_SP_UP_32)


def analyse(*code, helper=None):
    data = b"".join(struct.pack("<I" if word > 0xffff else "<H", word) for word in code)
    return prologue.analyse(data, lambda offset: helper(offset) if helper else None)


def test_prologue_frame_pointer_and_saved_registers_are_found(_):
    frame = analyse(*PROLOGUE)
    assert frame.has_fp and frame.size == 32, vars(frame)
    assert frame.saved == {prologue.RA: -8, prologue.FP: -16}, frame.saved


def test_prologue_that_has_only_begun_has_saved_nothing(_):
    frame = analyse(ADD_SP_DOWN_32)
    assert not frame.has_fp and frame.size == 32 and not frame.saved, vars(frame)


def test_prologue_is_undone_by_the_epilogue(_):
    frame = analyse(*PROLOGUE, *EPILOGUE)
    assert not frame.has_fp and frame.size == 0 and not frame.saved, vars(frame)


def test_prologue_holds_behind_a_return_in_the_middle(_):
    frame = analyse(*PROLOGUE, *EPILOGUE, RET)
    assert frame.has_fp and frame.saved == {prologue.RA: -8, prologue.FP: -16}, vars(frame)


def test_prologue_without_a_frame_pointer_counts_from_sp(_):
    frame = analyse(WIDE_ADD_SP_DOWN_2032, WIDE_SD_RA_2024)
    assert not frame.has_fp and frame.size == 2032 and frame.saved == {prologue.RA: -8}, vars(frame)


def test_prologue_by_the_save_helper_is_known(_):
    """__riscv_save_4 keeps ra and s0..s3: 5 words, 48 bytes with the stack's alignment."""
    asked = []
    frame = analyse(JAL_T0_BACK_16, ADD_SP_DOWN_32, helper=lambda offset: asked.append(offset) or 4)
    assert asked == [-16], asked
    assert frame.size == 48 + 32 and frame.saved == {prologue.RA: -8, prologue.FP: -16}, vars(frame)
