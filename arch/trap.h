/* SPDX-License-Identifier: MIT */
/*
 * What the trap path saves, and the C functions it calls.
 *
 * Rules: a trap frame lies on the kernel stack below the running activation (trap from user
 * mode) or below the interrupted code (trap from kernel mode). sstatus is kept for reports; it is
 * never restored, because its FS field belongs to the core, not to the frame (arch/fpu.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct trap_frame {
    uint64_t x[32]; /* x[0] is unused; x[2] is sp, x[4] is tp of the interrupted context */
    uint64_t sepc, sstatus, scause, stval;
};

/* A system call saves only this; everything else is the C calling convention's business. */
struct syscall_frame {
    uint64_t pc, sp, tp, ra;
    uint64_t a[8];  /* a0..a7; filled only for calls that move messages */
    uint64_t token; /* the same: t0 on the way in, a7 on the way out */
    uint64_t unused;
};

#define SSTATUS_SPP (1UL << 8)

static inline bool trap_from_user(const struct trap_frame *frame)
{
    return (frame->sstatus & SSTATUS_SPP) == 0;
}

/* Point this core's trap vector at trap_entry and let timer, software and external interrupts in
 * (sie); the global enable stays off. Once per core. */
void trap_init_core(void);
