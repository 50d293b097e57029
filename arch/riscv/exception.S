/* SPDX-License-Identifier: MIT */
/*
 * Interrupts and exceptions: every register is saved.
 *
 * Reached from the vector in trap.S, whose invariants [T], [S], [F] hold here, too.
 */
#include "arch/riscv/offsets.h"

    .section .text.trap, "ax"

/* Save and restore the registers that need no care: all but zero, sp, tp, t0. */
    .macro for_each_register instruction
    .irp n, 1, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \instruction x\n, (8 * \n)(sp)
    .endr
    .endm

    .macro save_trap_csrs
    csrr    t0, sepc
    sd      t0, TRAP_SEPC(sp)
    csrr    t0, sstatus
    sd      t0, TRAP_SSTATUS(sp)
    csrr    t0, scause
    sd      t0, TRAP_SCAUSE(sp)
    csrr    t0, stval
    sd      t0, TRAP_STVAL(sp)
    .endm

/* Interrupts and exceptions from user mode: void trap_handle_user(struct trap_frame *). */
    .globl trap_entry_user
trap_entry_user:
    addi    sp, sp, -(FPU_STATE_BYTES + TRAP_FRAME_BYTES)       /* [S] */
    for_each_register sd
    ld      t0, CORE_SCRATCH(tp)
    sd      t0, (8 * 5)(sp)
    ld      t0, CORE_USER_SP(tp)
    sd      t0, (8 * 2)(sp)
    csrrw   t0, sscratch, zero          /* [T] */
    sd      t0, (8 * 4)(sp)
    save_trap_csrs
    mv      a0, sp
    li      s0, 0                       /* end of the kernel's frame chain */
    call    trap_handle_user
    li      t0, SSTATUS_SPP_BIT | SSTATUS_SIE_BIT               /* [F] */
    csrc    sstatus, t0
    lw      t0, CORE_WORK(tp)
    beqz    t0, 1f
    call    upcall_exit_work
    li      t0, SSTATUS_SPP_BIT | SSTATUS_SIE_BIT
    csrc    sstatus, t0
1:  ld      t0, TRAP_SEPC(sp)
    csrw    sepc, t0
    csrw    sscratch, tp                /* [T] */
    for_each_register ld
    ld      tp, (8 * 4)(sp)
    ld      t0, (8 * 5)(sp)
    ld      sp, (8 * 2)(sp)
    sret

/*
 * Traps from kernel mode: interrupts of preemptible code, or a bug. A stack slot's lowest three
 * pages are its guard (mm/kstack.h), so sp tells an overflow before anything is stored.
 */
    .globl trap_entry_kernel
trap_entry_kernel:
    csrrw   tp, sscratch, tp            /* [T] */
    sd      t0, CORE_SCRATCH(tp)
    slli    t0, sp, 49
    srli    t0, t0, 61                  /* page of sp within its 32 KiB slot */
    addi    t0, t0, -3
    bltz    t0, trap_stack_overflow
    addi    sp, sp, -TRAP_FRAME_BYTES
    for_each_register sd
    ld      t0, CORE_SCRATCH(tp)
    sd      t0, (8 * 5)(sp)
    addi    t0, sp, TRAP_FRAME_BYTES
    sd      t0, (8 * 2)(sp)
    sd      tp, (8 * 4)(sp)
    save_trap_csrs
    mv      a0, sp
    call    trap_handle_kernel
    li      t0, SSTATUS_SPP_BIT | SSTATUS_SPIE_BIT              /* [F] only interrupts return */
    csrs    sstatus, t0
    ld      t0, TRAP_SEPC(sp)
    csrw    sepc, t0
    for_each_register ld
    ld      t0, (8 * 5)(sp)
    addi    sp, sp, TRAP_FRAME_BYTES    /* tp stays: the thread may have changed cores */
    sret

/* Report on another stack; the frame shows the overflowed sp. */
trap_stack_overflow:
    sd      sp, CORE_USER_SP(tp)
    ld      sp, CORE_EMERGENCY_STACK(tp)
    addi    sp, sp, -TRAP_FRAME_BYTES
    for_each_register sd
    ld      t0, CORE_SCRATCH(tp)
    sd      t0, (8 * 5)(sp)
    ld      t0, CORE_USER_SP(tp)
    sd      t0, (8 * 2)(sp)
    sd      tp, (8 * 4)(sp)
    save_trap_csrs
    mv      a0, sp
    call    trap_handle_stack_overflow
