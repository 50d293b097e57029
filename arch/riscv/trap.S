/* SPDX-License-Identifier: MIT */
/*
 * The trap vector, and system calls: from user mode to C and back.
 *
 * Invariants, with the tag that marks the instructions which serve them:
 *   [T] in user mode sscratch is the core's block; in kernel mode it is 0 and tp is the block.
 *   [S] a trap from user mode starts its stack below the running activation and its
 *       floating-point room, so activations above are never overwritten.
 *   [F] sstatus.FS is live state: no path saves or restores it.
 *   [Z] nothing of the kernel is left in a register on the way out.
 * Interrupts are off from entry until C turns them on, and again from the look at core.work to
 * the sret, so that no request for work is missed.
 */
#include "arch/riscv/offsets.h"

    .section .text.trap, "ax"

/* beqz x<number>, <target in another file>. The GNU assembler would make two instructions of it; the linker
 * says if it is too far. */
    .macro near_beqz number, target
#ifdef __clang__
    beqz    x\number, \target
#else
.Lnear\@:
    .reloc  .Lnear\@, R_RISCV_BRANCH, \target
    .insn   0x63 | (\number << 15)
#endif
    .endm

/* bgeu x<one>, x<other>, <target in another file>. */
    .macro near_bgeu one, other, target
#ifdef __clang__
    bgeu    x\one, x\other, \target
#else
.Lnear_bgeu\@:
    .reloc  .Lnear_bgeu\@, R_RISCV_BRANCH, \target
    .insn   0x7063 | (\one << 15) | (\other << 20)
#endif
    .endm

/*
 * The vector of all traps (stvec, direct mode). System calls split off first: number 0 to 2 go
 * to ipc/riscv/fastpath.S with sp = the running activation, the user's sp in the core's block, everything else
 * the user's. Of a system call t0..t6 are nobody's.
 */
    .balign 64
    .globl trap_entry
trap_entry:
    /* group: trap entry */
    csrrw   tp, sscratch, tp            /* [T] */
    beqz    tp, trap_entry_kernel
    sd      sp, CORE_USER_SP(tp)
    csrr    sp, scause
    addi    sp, sp, -SCAUSE_USER_ECALL
    bnez    sp, trap_entry_user
    ld      sp, CORE_ACTIVATION(tp)     /* [S] */
    near_beqz 17, ipc_fastpath_call       /* a7 */
    li      t1, SYSCALL_NUMBER_REPLY_RECEIVE
    near_bgeu 6, 17, ipc_fastpath_return  /* t1, a7: the numbers 1 and 2 */

/*
 * Every other system call: number in a7, arguments in a0..a6; calls syscall_table[a7](a0..a6) with
 * interrupts on. The user's s registers are the C callee's business.
 */
    .globl syscall_entry
syscall_entry:
    addi    sp, sp, -(FPU_STATE_BYTES + SYSCALL_FRAME_BYTES)    /* [S] */
    ld      t0, CORE_USER_SP(tp)
    csrr    t1, sepc
    csrrw   t2, sscratch, zero          /* [T] */
    addi    t1, t1, 4
    sd      t0, SYSCALL_SP(sp)
    sd      t1, SYSCALL_PC(sp)
    sd      t2, SYSCALL_TP(sp)
    sd      ra, SYSCALL_RA(sp)
    li      t0, SYSCALL_NUMBER_COUNT
    bgeu    a7, t0, syscall_unknown
    csrsi   sstatus, SSTATUS_SIE_BIT
    slli    t0, a7, 3
1:  auipc   t1, %pcrel_hi(syscall_table)
    add     t1, t1, t0
    ld      t1, %pcrel_lo(1b)(t1)
    jalr    t1

syscall_exit:
    li      a1, 0                       /* [Z] */
syscall_exit_pair:
    li      t0, SSTATUS_SPP_BIT | SSTATUS_SIE_BIT
    csrc    sstatus, t0
    lw      t0, CORE_WORK(tp)
    bnez    t0, syscall_exit_work
syscall_exit_now:
    ld      t0, SYSCALL_PC(sp)
    csrw    sepc, t0
    ld      ra, SYSCALL_RA(sp)
    csrw    sscratch, tp                /* [T] */
    ld      tp, SYSCALL_TP(sp)
    ld      sp, SYSCALL_SP(sp)
    li      t0, 0                       /* [Z] from here */
    li      t1, 0
    li      t2, 0
    li      t3, 0
    li      t4, 0
    li      t5, 0
    li      t6, 0
    li      a2, 0
    li      a3, 0
    li      a4, 0
    li      a5, 0
    li      a6, 0
    li      a7, 0
    sret

syscall_exit_work:
    sd      a0, SYSCALL_A0(sp)
    sd      a1, (SYSCALL_A0 + 8)(sp)
    call    upcall_exit_work
    ld      a0, SYSCALL_A0(sp)
    ld      a1, (SYSCALL_A0 + 8)(sp)
    li      t0, SSTATUS_SPP_BIT | SSTATUS_SIE_BIT
    csrc    sstatus, t0
    j       syscall_exit_now

syscall_unknown:
    li      a0, STATUS_UNKNOWN_CALL
    j       syscall_exit

/*
 * struct syscall_pair syscall_wait_pair(a0..a2): the table's entry for syscall_wait, whose a1 the user gets, too.
 * sp = the frame. Does not return to its caller.
 */
    .globl syscall_wait_pair
syscall_wait_pair:
    call    syscall_wait
    j       syscall_exit_pair

/* struct syscall_pair syscall_send_pair(a0..a6): the same for syscall_send. */
    .globl syscall_send_pair
syscall_send_pair:
    call    syscall_send
    j       syscall_exit_pair

/*
 * The fast paths jump here, before any side effect, when they cannot do it: sp = the running
 * activation, the user's sp in the core's block, a0..a7 untouched.
 */
    .globl syscall_message_slow
syscall_message_slow:
    addi    sp, sp, -(FPU_STATE_BYTES + SYSCALL_FRAME_BYTES)    /* [S] */
    sd      t0, SYSCALL_TOKEN(sp)
    ld      t0, CORE_USER_SP(tp)
    csrr    t1, sepc
    csrrw   t2, sscratch, zero          /* [T] */
    addi    t1, t1, 4
    sd      t0, SYSCALL_SP(sp)
    sd      t1, SYSCALL_PC(sp)
    sd      t2, SYSCALL_TP(sp)
    sd      ra, SYSCALL_RA(sp)
    csrsi   sstatus, SSTATUS_SIE_BIT

/*
 * void syscall_message(...): the table's entry for calls that move a message. sp = the frame.
 * Does not return to its caller: leaves with a0..a6 as the C function left them in the frame.
 */
    .globl syscall_message
syscall_message:
    sd      a0, (SYSCALL_A0 + 0)(sp)
    sd      a1, (SYSCALL_A0 + 8)(sp)
    sd      a2, (SYSCALL_A0 + 16)(sp)
    sd      a3, (SYSCALL_A0 + 24)(sp)
    sd      a4, (SYSCALL_A0 + 32)(sp)
    sd      a5, (SYSCALL_A0 + 40)(sp)
    sd      a6, (SYSCALL_A0 + 48)(sp)
    sd      a7, (SYSCALL_A0 + 56)(sp)
    mv      a0, sp
    call    syscall_handle_message

/* Leave with a0..a6 from the frame at sp; a7 in the frame is the call's number. */
    .globl syscall_message_exit
syscall_message_exit:
    li      t0, SSTATUS_SPP_BIT | SSTATUS_SIE_BIT
    csrc    sstatus, t0
    lw      t0, CORE_WORK(tp)
    beqz    t0, 1f
    call    upcall_exit_work
    li      t0, SSTATUS_SPP_BIT | SSTATUS_SIE_BIT
    csrc    sstatus, t0
1:  ld      t0, SYSCALL_PC(sp)
    csrw    sepc, t0
    ld      ra, SYSCALL_RA(sp)
    ld      a7, (SYSCALL_A0 + 56)(sp)
    li      t0, SYSCALL_NUMBER_REPLY_RECEIVE
    bgtu    a7, t0, 2f
    li      ra, 0                       /* [Z] call, return, reply and receive: another domain's registers */
    li      s0, 0
    li      s1, 0
    li      s2, 0
    li      s3, 0
    li      s4, 0
    li      s5, 0
    li      s6, 0
    li      s7, 0
    li      s8, 0
    li      s9, 0
    li      s10, 0
    li      s11, 0
    li      gp, 0
2:  ld      a0, (SYSCALL_A0 + 0)(sp)
    ld      a1, (SYSCALL_A0 + 8)(sp)
    ld      a2, (SYSCALL_A0 + 16)(sp)
    ld      a3, (SYSCALL_A0 + 24)(sp)
    ld      a4, (SYSCALL_A0 + 32)(sp)
    ld      a5, (SYSCALL_A0 + 40)(sp)
    ld      a6, (SYSCALL_A0 + 48)(sp)
    ld      a7, SYSCALL_TOKEN(sp)
    csrw    sscratch, tp                /* [T] */
    ld      tp, SYSCALL_TP(sp)
    ld      sp, SYSCALL_SP(sp)
    li      t0, 0                       /* [Z] from here */
    li      t1, 0
    li      t2, 0
    li      t3, 0
    li      t4, 0
    li      t5, 0
    li      t6, 0
    sret
