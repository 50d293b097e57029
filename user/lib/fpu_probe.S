/* SPDX-License-Identifier: MIT */
/*
 * Fills and checks all floating-point registers.
 *
 * Rules: fpu_probe.h has the contracts; x0 style register lists are written out by macros.
 */
#define ROUND_DOWN 2   /* fcsr.frm, bits 5..7: RDN */
#define FCSR_PATTERN (ROUND_DOWN << 5)
#define FRAME_BYTES 128 /* ra, s0, s1, fcsr and fs0..fs11 */

    .macro or_all
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fmv.x.d t0, f\n
    or      a0, a0, t0
    .endr
    .endm

    .section .text.fpu_probe, "ax", @progbits

/* uint64_t fpu_probe_or_all(void)   clobbers: t0   stack: none */
    .globl fpu_probe_or_all
    .type fpu_probe_or_all, @function
fpu_probe_or_all:
    frcsr   a0
    or_all
    ret
    .size fpu_probe_or_all, . - fpu_probe_or_all

/* void fpu_probe_scribble(void)   clobbers: t0, all f   stack: none */
    .globl fpu_probe_scribble
    .type fpu_probe_scribble, @function
fpu_probe_scribble:
    li      t0, FCSR_PATTERN
    fscsr   t0
    li      t0, -1
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fmv.d.x f\n, t0
    addi    t0, t0, -1
    .endr
    ret
    .size fpu_probe_scribble, . - fpu_probe_scribble

/* uint64_t fpu_probe_hold(uint64_t seed, void (*between)(void *), void *argument)
 *   in: a0, a1, a2   out: a0   clobbers: what a C function may   stack: FRAME_BYTES */
    .globl fpu_probe_hold
    .type fpu_probe_hold, @function
fpu_probe_hold:
    addi    sp, sp, -FRAME_BYTES
    sd      ra, 0(sp)
    sd      s0, 8(sp)
    sd      s1, 16(sp)
    frcsr   t0
    sd      t0, 24(sp)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    fsd     fs\n, 32 + 8 * \n(sp)
    .endr
    addi    s0, sp, FRAME_BYTES
    mv      s1, a0
    li      t0, FCSR_PATTERN
    fscsr   t0
    mv      t0, s1
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fmv.d.x f\n, t0
    addi    t0, t0, 1
    .endr
    mv      a0, a2
    jalr    a1
    li      a0, 0
    mv      t0, s1
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fmv.x.d t1, f\n
    xor     t1, t1, t0
    snez    t1, t1
    add     a0, a0, t1
    addi    t0, t0, 1
    .endr
    frcsr   t0
    addi    t0, t0, -FCSR_PATTERN
    snez    t0, t0
    add     a0, a0, t0
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    fld     fs\n, 32 + 8 * \n(sp)
    .endr
    ld      t0, 24(sp)
    fscsr   t0
    ld      s1, 16(sp)
    ld      s0, 8(sp)
    ld      ra, 0(sp)
    addi    sp, sp, FRAME_BYTES
    ret
    .size fpu_probe_hold, . - fpu_probe_hold
