/* SPDX-License-Identifier: MIT */
/*
 * The common call and the common return, without C.
 *
 * Reached from arch/riscv/trap.S for system calls 0 and 1: interrupts off, tp = the core's block,
 * sp = the running activation, sscratch = the user's tp, the user's sp in the core's block, t0..t6
 * free, all else the user's. Whatever is not the common case goes to syscall_message_slow before any
 * side effect but two that do no harm: a return that fails to give the baton has cleared the note of
 * the holder, which the C path clears as well, and a call that finds the port busy has turned a
 * floating-point unit off whose registers are saved. The convention with the user stubs (user/lib/message.h): sp, tp and pc of the caller are
 * kept in the activation, the message stays in a1..a5, and every other register is cleared, or holds what its
 * reader knows anyway, so that neither side sees the other's or the kernel's.
 *
 * Protocol of the word: baton.md, edges "call, idle port" and "return, nothing came".
 */
#include "arch/riscv/offsets.h"
#include "ipc/riscv/macros.inc"

    .section .text.trap, "ax"

/* The record that a call pushes, relative to the running activation in sp. */
#define NEW(field) (field - CALL_PUSH_BYTES)

/* SYS_CALL: a0 handle, a1..a5 message, a6 deadline. */
    .balign 64
    .globl ipc_fastpath_call
ipc_fastpath_call:
    /* group: handle, rights, tag */
    look_up
    and     t5, t5, t3                  /* ENTRY_RIGHT_CALL is 1 */
    beqz    t5, .Lcall_long
    bnez    a6, .Lslow
    /* group: checks */
    ld      t1, PORT_SATPS(t4)
    beqz    t1, .Lcall_kernel           /* no user service, or one that needs a flush */
    check_call .Lslow, .Lcall_dirty
    /* group: take the baton */
    baton_take a7, .Lcall_busy          /* a7 is 0 before and after */
.Lcall_taken:
    /* group: record and switch */
    mv      a0, t6
    ld      t0, CORE_USER_SP(tp)
    csrr    t5, sepc
    csrr    t6, sscratch
    addi    t5, t5, 4
    addi    t2, t2, -1
    sd      t6, NEW(ACTIVATION_TP)(sp)
    sd      t5, NEW(ACTIVATION_PC)(sp)
    ld      t5, PORT_DOMAIN(t4)
    sd      t0, NEW(ACTIVATION_SP)(sp)
    sd      sp, NEW(ACTIVATION_PREVIOUS)(sp)
    sd      t5, NEW(ACTIVATION_DOMAIN)(sp)
    sd      t4, NEW(ACTIVATION_PORT)(sp)
    sd      t2, NEW(ACTIVATION_META)(sp)
    sd      t1, NEW(ACTIVATION_SATP_ENTRY)(sp)
    addi    sp, sp, -CALL_PUSH_BYTES
    csrw    satp, t3
    sd      sp, CORE_ACTIVATION(tp)
    /* group: holder and count */
    port_note_run t5, t6
    /* group: enter */
    ld      t1, PORT_ENTRY(t4)
    csrw    sscratch, tp
    csrw    sepc, t1
    ld      a6, PORT_COOKIE(t4)
    ld      sp, PORT_STACK_TOP(t4)
    ld      tp, PORT_SERVICE_TP(t4)
    /* group: scrub */
    clear_saved_registers
    clear t0, t2, t3, t4, t5            /* t1: the entry; t6: the calls so far */
    sret

/*
 * More words than registers, or something else is unusual. t3: rights, t4: port, t6: badge. The baton is
 * taken before the words are copied: until then the last run may be in the service's page.
 * The user's s registers are nobody's in both calls.
 */
.Lcall_long:
    /* group: long: words and pages */
    check_long_tag .Lslow
    andi    t3, t3, ENTRY_RIGHT_CALL
    addi    t3, t3, -ENTRY_RIGHT_CALL
    or      t3, t3, a6
    bnez    t3, .Lslow
    ld      t1, PORT_SATPS(t4)
    beqz    t1, .Lslow
    load_page s1, sp, .Lslow
    ld      s2, PORT_PAGE(t4)
    beqz    s2, .Lslow
    /* group: checks */
    check_call .Lslow, .Lcall_dirty
    /* group: take the baton */
    baton_take a7, .Lcall_busy
    /* group: long: copy */
    copy_words s1, s2
    j       .Lcall_taken

.Lcall_busy:
    li      a7, 0                       /* the number of this call again */
    j       syscall_message_slow

/* Dirty registers are saved by the C path; that they are comes back. */
.Lcall_dirty:
    csrw    sstatus, t5

.Lslow:
    j       syscall_message_slow

#include "ipc/riscv/fastpath_kernel.inc"

/* SYS_RETURN: a1..a5 reply. The running activation was pushed by ipc_fastpath_call. */
    .balign 64
    .globl ipc_fastpath_return
ipc_fastpath_return:
    /* group: return: checks */
    beq     a7, t1, .Lreply_receive
    lbu     t2, ACTIVATION_KIND(sp)
    lw      t3, CORE_WORK(tp)
    ld      t1, ACTIVATION_PORT(sp)
    bnez    t3, .Lslow
    bnez    t2, .Lreturn_to_kernel
    check_return .Lreturn_long
.Lreturn_checked:
    check_caller .Lslow
    /* group: give the baton */
    baton_give .Lslow, a7
    /* group: back to the caller */
    ld      t4, ACTIVATION_PC(sp)
    sd      t5, CORE_ACTIVATION(tp)
    csrw    satp, t6
    li      t2, SSTATUS_FS_BITS
    csrw    sepc, t4
    csrc    sstatus, t2                 /* the service's floating-point state dies with its run */
    csrw    sscratch, tp
    ld      tp, ACTIVATION_TP(sp)
    ld      sp, ACTIVATION_SP(sp)
    li      a0, 0
    /* group: scrub */
    clear_saved_registers
    clear t0, t1, t5, t6, a6            /* t2: a constant; t3: 0; t4: the pc; a7: 1, as it was */
    sret

/* More words than registers, or worse. What is copied here and then again, since the baton cannot be given, is
 * the same. t1: port. */
.Lreturn_long:
    /* group: long: words and pages */
    check_long_tag .Lslow
    ld      t5, ACTIVATION_PREVIOUS(sp)
    ld      s1, PORT_PAGE(t1)
    beqz    s1, .Lslow
    load_page s2, t5, .Lslow
    /* group: long: copy */
    copy_words s1, s2
    j       .Lreturn_checked

/*
 * The caller was the kernel, for a pager: its call goes on behind activation_enter_user, which gives the baton.
 * t1: port, t2: kind.
 */
.Lreturn_to_kernel:
    /* group: return to the kernel */
    andi    t2, t2, ACTIVATION_KIND_KERNEL_BIT
    beqz    t2, .Lreturn_to_courier     /* or no service, or more to do */
    ld      t2, PORT_SATPS(t1)
    beqz    t2, .Lslow                  /* spaces have no numbers */
    check_return .Lslow
    check_caller .Lslow
    ld      t3, ACTIVATION_MESSAGE(sp)
    csrw    satp, t6
    li      t2, SSTATUS_FS_BITS
    csrc    sstatus, t2
    csrw    sscratch, zero
    sd      a1, MESSAGE_TAG_WORD(t3)
    sd      a2, (MESSAGE_WORD0 + 0)(t3)
    sd      a3, (MESSAGE_WORD0 + 8)(t3)
    sd      a4, (MESSAGE_WORD0 + 16)(t3)
    sd      a5, (MESSAGE_WORD0 + 24)(t3)
    sd      t5, CORE_ACTIVATION(tp)
    addi    sp, sp, ACTIVATION_SIZE
    li      a0, 0
    j       activation_return_restore

/*
 * The caller was a courier: the next letter runs in the same record, on the same stack, in the same address space.
 * What the service answered is nobody's, unless a result was wanted. letter_next is C, on the stack below the record; the
 * room for floating-point registers there is no longer in use. t1: port.
 */
.Lreturn_to_courier:
    /* group: return to a courier */
    lbu     t2, ACTIVATION_KIND(sp)
    li      t4, ACTIVATION_KIND_COURIER
    bne     t2, t4, .Lslow
    check_return .Lslow
    ld      a0, ACTIVATION_MESSAGE(sp)
    ld      t4, PORT_SATPS(t1)
    ld      t2, WORK_RESULT(a0)
    beqz    t4, .Lslow                  /* spaces have no numbers */
    bnez    t2, .Lslow                  /* somebody wants to know */
    check_caller .Lslow
    mv      s1, t6
    mv      s2, t1
    mv      a1, t1
    csrw    sscratch, zero
    call    letter_next
    li      t1, SSTATUS_FS_BITS
    csrc    sstatus, t1                 /* floating-point state dies with each run */
    beqz    a0, .Lcourier_done
    /* group: the next letter */
    ld      t0, PORT_ENTRY(s2)
    sb      zero, ACTIVATION_FPU_SAVED(sp)
    csrw    sepc, t0
    csrw    sscratch, tp
    ld      sp, PORT_STACK_TOP(s2)
    ld      tp, PORT_SERVICE_TP(s2)
    ld      a6, PORT_COOKIE(s2)
    ld      a1, MESSAGE_TAG_WORD(a0)
    ld      a2, (MESSAGE_WORD0 + 0)(a0)
    ld      a3, (MESSAGE_WORD0 + 8)(a0)
    ld      a4, (MESSAGE_WORD0 + 16)(a0)
    ld      a5, (MESSAGE_WORD0 + 24)(a0)
    ld      a0, WORK_BADGE(a0)
    li      a7, 0
    /* group: scrub */
    clear_saved_registers
    clear_temporaries
    sret

.Lcourier_done:
    csrw    satp, s1
    ld      t5, ACTIVATION_PREVIOUS(sp)
    sd      t5, CORE_ACTIVATION(tp)
    addi    sp, sp, ACTIVATION_SIZE
    j       activation_return_restore   /* a0 is OK */

#include "ipc/riscv/mailbox.inc"
