/* SPDX-License-Identifier: MIT */
/*
 * Interrupts and exceptions: every register is saved, or for a page that is only to be entered, those
 * that C may change.
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

/* The same, in two parts: what a C function may change, and what it keeps (gp is nobody's in C). */
    .macro for_each_scratch instruction
    .irp n, 1, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    \instruction x\n, (8 * \n)(sp)
    .endr
    .endm

    .macro for_each_kept instruction
    .irp n, 3, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
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

/*
 * Interrupts and exceptions from user mode. In: the user's sp in the core's block, sp is free. A page fault
 * goes to
 *     status_t upcall_user_touch(vaddr_t address, uint64_t scause)
 * first, with interrupts off and the registers that C keeps where they are; so until the answer
 * nothing can change sepc, sstatus, scause and stval. If the answer is OK and there is no work, that
 * was all. Else the rest is saved, and void trap_handle_user(struct trap_frame *) sees it whole; or
 * void upcall_user_absent(struct trap_frame *), if the answer says that nothing is mapped there.
 */
    .globl trap_entry_user
trap_entry_user:
    /* group: save what C may change */
    ld      sp, CORE_ACTIVATION(tp)     /* [S] */
    addi    sp, sp, -(FPU_STATE_BYTES + TRAP_FRAME_BYTES)       /* [S] */
    for_each_scratch sd
    sd      s0, (8 * 8)(sp)
    sd      t0, (8 * 5)(sp)
    csrr    t0, scause
    ld      t1, CORE_USER_SP(tp)
    sd      t1, (8 * 2)(sp)
    csrrw   t1, sscratch, zero          /* [T] */
    sd      t1, (8 * 4)(sp)
    li      s0, 0                       /* end of the kernel's frame chain */
    addi    t0, t0, -SCAUSE_PAGE_FAULT_FIRST
    li      t1, SCAUSE_PAGE_FAULTS
    bgeu    t0, t1, trap_user_whole
    /* group: look for the page */
    csrr    a0, stval
    addi    a1, t0, SCAUSE_PAGE_FAULT_FIRST
    call    upcall_user_touch
    bnez    a0, trap_user_untouched
    lw      t0, CORE_WORK(tp)
    bnez    t0, trap_user_touched_work
    csrw    sscratch, tp                /* [T] */
    for_each_scratch ld
    ld      s0, (8 * 8)(sp)
    ld      tp, (8 * 4)(sp)
    ld      t0, (8 * 5)(sp)
    ld      sp, (8 * 2)(sp)
    sret

trap_user_touched_work:
    for_each_kept sd
    save_trap_csrs
    j       trap_user_work

trap_user_untouched:
    /* group: save the rest */
    addi    a0, a0, -STATUS_FAULT
    bnez    a0, trap_user_whole
    for_each_kept sd
    save_trap_csrs
    mv      a0, sp
    csrsi   sstatus, SSTATUS_SIE_BIT
    call    upcall_user_absent
    j       trap_user_exit

trap_user_whole:
    for_each_kept sd
    save_trap_csrs
    mv      a0, sp
    call    trap_handle_user
trap_user_exit:
    /* group: restore all registers */
    li      t0, SSTATUS_SPP_BIT | SSTATUS_SIE_BIT               /* [F] */
    csrc    sstatus, t0
    lw      t0, CORE_WORK(tp)
    beqz    t0, 1f
trap_user_work:
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
