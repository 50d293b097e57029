/* SPDX-License-Identifier: MIT */
/*
 * Floating-point state: saved on demand, loaded on first use.
 *
 * Rules: sstatus.FS is live state of the core. Off: the registers hold nothing of value. Clean:
 * they equal the owner's save area. Dirty: they are newer than it. The kernel itself never uses
 * them. The owner is the innermost user-mode activation of the current thread.
 * Source: RISC-V privileged specification 1.12, section 3.1.6.6 (extension context status).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* f0..f31 and fcsr, rounded up to keep the stack 16-byte aligned. */
struct fpu_state {
    uint64_t f[32];
    uint64_t fcsr;
    uint64_t unused;
};

/* True if the registers hold something that is nowhere in memory. */
bool fpu_is_dirty(void);

/* True if the unit is off: there is nothing to save. */
static inline bool fpu_is_off(void)
{
    uint64_t sstatus;

    __asm__ volatile("csrr %0, sstatus" : "=r"(sstatus));
    return (sstatus & (3UL << 13)) == 0;
}

/* Store all registers. FS must not be Off. */
void fpu_save(struct fpu_state *state);

/* Make the unit usable and load all registers from `state`; FS becomes Clean. */
void fpu_load(const struct fpu_state *state);

/* FS := Off; the register contents are given up. */
void fpu_disable(void);
