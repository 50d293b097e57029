/* SPDX-License-Identifier: MIT */
/*
 * Floating-point registers to and from memory; see arch/fpu.h.
 */
#include "arch/riscv/offsets.h"

#define FS_CLEAN 0x4000
#define FS_INITIAL 0x2000

    .option push
    .option arch, +d
    .text

    .macro for_each_float instruction
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \instruction f\n, (8 * \n)(a0)
    .endr
    .endm

/* bool fpu_is_dirty(void); the SD bit sums up FS and VS, and VS is always off */
    .globl fpu_is_dirty
fpu_is_dirty:
    csrr    a0, sstatus
    srli    a0, a0, 63
    ret

/* void fpu_save(struct fpu_state *); FS must not be Off */
    .globl fpu_save
fpu_save:
    for_each_float fsd
    frcsr   t0
    sd      t0, 256(a0)
    ret

/* void fpu_load(const struct fpu_state *); FS becomes Clean */
    .globl fpu_load
fpu_load:
    li      t0, FS_INITIAL
    csrs    sstatus, t0
    for_each_float fld
    ld      t0, 256(a0)
    fscsr   t0
    li      t0, SSTATUS_FS_BITS
    csrc    sstatus, t0
    li      t0, FS_CLEAN
    csrs    sstatus, t0
    ret

/* void fpu_disable(void) */
    .globl fpu_disable
fpu_disable:
    li      t0, SSTATUS_FS_BITS
    csrc    sstatus, t0
    ret

    .option pop
