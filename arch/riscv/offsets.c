/* SPDX-License-Identifier: MIT */
/*
 * Pins the offsets in offsets.h to the structures; no code.
 */
#include "arch/riscv/offsets.h"

#include "arch/core.h"
#include "arch/fpu.h"
#include "arch/trap.h"

#define PIN(offset, type, field)                                                                   \
    _Static_assert((offset) == offsetof(type, field), "arch/riscv/trap.S")

PIN(CORE_ACTIVATION, struct core, activation);
PIN(CORE_USER_SP, struct core, user_sp);
PIN(CORE_SCRATCH, struct core, scratch);
PIN(CORE_CURRENT, struct core, current);
PIN(CORE_WORK, struct core, work);
PIN(CORE_CPU, struct core, cpu);
PIN(CORE_BOOT_SP, struct core, boot_sp);
PIN(CORE_EMERGENCY_STACK, struct core, emergency_stack);
PIN(CORE_SATP_OFFSET, struct core, satp_offset);
PIN(CORE_SWITCHES, struct core, switches);
PIN(SYSCALL_PC, struct syscall_frame, pc);
PIN(SYSCALL_SP, struct syscall_frame, sp);
PIN(SYSCALL_TP, struct syscall_frame, tp);
PIN(SYSCALL_RA, struct syscall_frame, ra);
PIN(SYSCALL_A0, struct syscall_frame, a);
PIN(SYSCALL_TOKEN, struct syscall_frame, token);
_Static_assert(SYSCALL_FRAME_BYTES == sizeof(struct syscall_frame), "arch/riscv/trap.S");
PIN(TRAP_SEPC, struct trap_frame, sepc);
PIN(TRAP_SSTATUS, struct trap_frame, sstatus);
PIN(TRAP_SCAUSE, struct trap_frame, scause);
PIN(TRAP_STVAL, struct trap_frame, stval);
_Static_assert(TRAP_FRAME_BYTES == sizeof(struct trap_frame), "arch/riscv/trap.S");
_Static_assert(FPU_STATE_BYTES == sizeof(struct fpu_state), "arch/riscv/trap.S");
