/* SPDX-License-Identifier: MIT */
/*
 * Switching kernel contexts, and the first way into user mode.
 */
#include "arch/riscv/offsets.h"

#define CONTEXT_BYTES 112

    .macro for_each_callee_saved instruction
    \instruction ra, 0(sp)
    \instruction s0, 8(sp)
    \instruction s1, 16(sp)
    \instruction s2, 24(sp)
    \instruction s3, 32(sp)
    \instruction s4, 40(sp)
    \instruction s5, 48(sp)
    \instruction s6, 56(sp)
    \instruction s7, 64(sp)
    \instruction s8, 72(sp)
    \instruction s9, 80(sp)
    \instruction s10, 88(sp)
    \instruction s11, 96(sp)
    .endm

    .text

/*
 * void *context_switch(vaddr_t *from, vaddr_t to, void *carry);
 * Interrupts off. Clobbers what a C call may; tp stays this core's.
 */
    .globl context_switch
context_switch:
    addi    sp, sp, -CONTEXT_BYTES
    for_each_callee_saved sd
    sd      sp, 0(a0)
    mv      sp, a1
    mv      a0, a2
    for_each_callee_saved ld
    addi    sp, sp, CONTEXT_BYTES
    ret

/* The ra of a context made by context_make: s1 = entry, s2 = argument, a0 = carry. */
    .globl context_start
context_start:
    mv      a1, s2
    li      s0, 0                       /* end of the frame chain */
    jalr    s1
    unimp

/*
 * void context_call_on(void (*function)(void *), void *argument, vaddr_t stack_top);
 */
    .globl context_call_on
context_call_on:
    addi    a2, a2, -32
    sd      ra, 24(a2)                  /* a frame record, so that backtraces cross the stacks */
    sd      s0, 16(a2)
    sd      sp, 8(a2)
    addi    s0, a2, 32
    mv      sp, a2
    mv      t0, a0
    mv      a0, a1
    jalr    t0
    ld      ra, 24(sp)
    ld      s0, 16(sp)
    ld      sp, 8(sp)
    ret

/*
 * void context_enter_user(vaddr_t pc, vaddr_t sp, vaddr_t tp, a0, a1, a2, a3);  does not return
 */
    .globl context_enter_user
context_enter_user:
    li      t0, SSTATUS_SPP_BIT | SSTATUS_SIE_BIT
    csrc    sstatus, t0
    csrw    sepc, a0
    csrw    sscratch, tp
    mv      sp, a1
    mv      tp, a2
    mv      a0, a3
    mv      a1, a4
    mv      a2, a5
    mv      a3, a6
    .irp n, ra, gp, t0, t1, t2, s0, s1, a4, a5, a6, a7, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6
    li      \n, 0
    .endr
    sret
