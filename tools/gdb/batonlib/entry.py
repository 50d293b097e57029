# SPDX-License-Identifier: MIT
"""The kernel's entry code (arch/riscv/trap.S, ipc/riscv): what it saved, by the function that is returned to.

Rules: the frame of the C code that entry code calls ends exactly at what the entry code saved, so the
caller's sp is the address of the trap frame or of the system call frame.
"""

from . import kernel
from .constants import constant
from .unwind import Registers

TRAP_USER = ("trap_entry_user",)
TRAP_KERNEL = ("trap_entry_kernel", "trap_stack_overflow")
SYSCALL = ("syscall_entry", "syscall_exit", "syscall_exit_now", "syscall_exit_work", "syscall_unknown",
           "syscall_message_slow", "syscall_message", "syscall_message_exit")
FASTPATH = ("ipc_fastpath_call",)
ALL = TRAP_USER + TRAP_KERNEL + SYSCALL + FASTPATH + ("trap_entry", "ipc_fastpath_return")

ECALL = bytes.fromhex("73000000")
S0_BELOW_TP = 8  # where the user's call stub keeps s0 (user/lib/tls_priv.h)


def from_trap_frame(address):
    """The kernel code that a trap interrupted."""
    frame = kernel.load("struct trap_frame", address)
    x = frame["x"]
    return Registers(int(frame["sepc"]), int(x[2]), int(x[8]), int(x[1]), True)


def from_user_trap_frame(address, space):
    """The user code that a trap interrupted."""
    tp = int(kernel.load("struct trap_frame", address)["x"][4])
    return after_call(from_trap_frame(address), tp, space)


def after_call(registers, tp, space):
    """User code stopped just behind the ecall of a call has not loaded its s0 back yet."""
    if registers.fp == 0 and space and space.read(registers.pc - 4, 4) == ECALL:
        return registers._replace(fp=saved_s0(tp, space))
    return registers


def from_syscall_frame(address, fp, space):
    """The user code that made a system call; fp is s0 as the C code found it."""
    frame = kernel.load("struct syscall_frame", address)
    sp, tp = int(frame["sp"]), int(frame["tp"])
    return Registers(int(frame["pc"]), sp, fp if fp >= sp else saved_s0(tp, space), int(frame["ra"]), False)


def from_activation(activation, space):
    """The user code that made a call by the fast path; the record keeps pc, sp and tp."""
    return Registers(activation.return_pc, activation.return_sp, saved_s0(activation.return_tp, space), None,
                     False)


def from_kernel_activation(activation, space):
    """The kernel code that entered a user service (ipc/riscv/enter.S); it saved s0..s11 and ra above."""
    base = activation.address + constant("ACTIVATION_SIZE")
    return Registers(space.word(base + 96), base + 112, space.word(base), None, False)


def saved_s0(tp, space):
    return space.word(tp - S0_BELOW_TP) if space else 0
