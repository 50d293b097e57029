# SPDX-License-Identifier: MIT
"""Where a function keeps its caller's registers, read from its instructions.

Baton's own code has frame pointers: at s0 the frame ends, s0 - 8 has the return address and s0 - 16 the
caller's s0. Functions of the C library and assembly have none, and an interrupt may come in the middle of a
prologue. So the instructions before an address are followed for what they do to sp, ra and s0.

Functions that were compiled for size leave the saving to __riscv_save_<n>, called with the return
address in t0.

Rules: an unconditional jump leaves the function or goes back into its body, so what follows it has the
frame of the body. Offsets are relative to the frame's end (the sp of the caller).
"""

import struct

ZERO, RA, SP, T0, FP = 0, 1, 2, 5, 8


def sign(value, bits):
    return value - (1 << bits) if value >> (bits - 1) & 1 else value


def decode_wide(code):
    """(operation, register, base register, offset) of a 32-bit instruction that matters, or None."""
    opcode, rd, funct = code & 127, code >> 7 & 31, code >> 12 & 7
    rs1, rs2 = code >> 15 & 31, code >> 20 & 31
    immediate = sign(code >> 20, 12)
    if opcode == 0x13 and funct == 0:
        return "add", rd, rs1, immediate
    if opcode == 0x23 and funct == 3:
        return "store", rs2, rs1, sign((code >> 25) << 5 | rd, 12)
    if opcode == 0x03 and funct == 3:
        return "load", rd, rs1, immediate
    if opcode == 0x6f and rd == T0:
        return "helper", T0, ZERO, sign((code >> 31) << 20 | (code >> 12 & 255) << 12
                                        | (code >> 20 & 1) << 11 | (code >> 21 & 1023) << 1, 21)
    if opcode in (0x6f, 0x67) and rd == ZERO:
        return "leave", ZERO, ZERO, 0
    return None


def decode_narrow(code):
    """The same for a 16-bit instruction."""
    quadrant, funct, rd, rs2 = code & 3, code >> 13, code >> 7 & 31, code >> 2 & 31
    if quadrant == 0 and funct == 0 and (rs2 & 7) + 8 == FP:
        return "add", FP, SP, ((code >> 7 & 15) << 6 | (code >> 11 & 3) << 4 | (code >> 5 & 1) << 3
                               | (code >> 6 & 1) << 2)
    if quadrant == 1 and funct == 0 and rd in (SP, FP):
        return "add", rd, rd, sign((code >> 12 & 1) << 5 | rs2, 6)
    if quadrant == 1 and funct == 3 and rd == SP:
        return "add", SP, SP, sign((code >> 12 & 1) << 9 | (code >> 3 & 3) << 7 | (code >> 5 & 1) << 6
                                   | (code >> 2 & 1) << 5 | (code >> 6 & 1) << 4, 10)
    if quadrant == 1 and funct == 5:
        return "leave", ZERO, ZERO, 0
    if quadrant == 2 and funct == 3:
        return "load", rd, SP, (code >> 2 & 7) << 6 | (code >> 12 & 1) << 5 | (code >> 5 & 3) << 3
    if quadrant == 2 and funct == 7:
        return "store", rs2, SP, (code >> 7 & 7) << 6 | (code >> 10 & 7) << 3
    if quadrant == 2 and funct == 4 and rs2 == 0 and code >> 12 & 1 == 0:
        return "leave", ZERO, ZERO, 0
    return None


def instructions(code):
    """The instructions that matter, in order; the offset of a helper counts from the function's start."""
    at = 0
    while at + 2 <= len(code):
        narrow, = struct.unpack_from("<H", code, at)
        if narrow & 3 != 3:
            found, at = decode_narrow(narrow), at + 2
        elif at + 4 <= len(code):
            found = decode_wide(struct.unpack_from("<I", code, at)[0])
            if found and found[0] == "helper":
                found = (*found[:3], found[3] + at)
            at += 4
        else:
            return
        if found:
            yield found


class Frame:
    """What a function has done to its frame before some instruction."""

    def __init__(self):
        self.size = 0         # sp is this much below the frame's end
        self.has_fp = False   # s0 is the frame's end
        self.saved = {}       # RA, FP -> offset from the frame's end

    def copy(self):
        other = Frame()
        other.size, other.has_fp, other.saved = self.size, self.has_fp, dict(self.saved)
        return other


def analyse(code, saved_by_helper):
    """The Frame after the instructions `code`, which begin with the function. saved_by_helper(offset)
    answers how many s registers the helper there saves, or None when it is something else."""
    frame = body = Frame()
    for operation, register, base, offset in instructions(code):
        grows = False
        if operation == "add" and register == SP and base == SP:
            frame.size -= offset
            grows = offset < 0
        elif operation == "add" and register == FP and base == SP and offset == frame.size > 0:
            frame.has_fp = grows = True
        elif operation == "store" and base == SP and register in (RA, FP) and register not in frame.saved:
            frame.saved[register] = offset - frame.size
            grows = True
        elif operation == "load" and base == SP and frame.saved.get(register) == offset - frame.size:
            del frame.saved[register]
            frame.has_fp = frame.has_fp and register != FP
        elif operation == "helper":
            count = saved_by_helper(offset)
            if count is not None:
                frame.saved = {RA: -8 - frame.size, FP: -16 - frame.size}
                frame.size += (8 * (count + 1) + 15) // 16 * 16
                grows = True
        elif operation == "leave":
            frame = body.copy()
        if grows:
            body = frame.copy()
    return frame
