/* SPDX-License-Identifier: MIT */
/*
 * Entering a user service from C, and coming back to that C code.
 */
#include "arch/riscv/offsets.h"
#include "ipc/riscv/macros.inc"

#define SAVED_BYTES 112

    .text

/*
 * status_t activation_enter_user(struct port *port, uint64_t badge, struct message *message, uint64_t *satp_entry,
 *                                const struct run_stack *stack, uint64_t kind);
 * Pushes an activation below the caller's frame and runs the service in user mode. Returns what
 * activation_return_kernel says. In: the baton is held, floating-point state is saved, the service's
 * address space is loaded, interrupts off; they are on afterwards. Clobbers what a C call may.
 */
    .globl activation_enter_user
activation_enter_user:
    /* group: save, record, enter, scrub */
    addi    sp, sp, -SAVED_BYTES
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sd      s\n, (8 * \n)(sp)
    .endr
    sd      ra, 96(sp)
    addi    sp, sp, -ACTIVATION_SIZE
    mv      t4, a0
    ld      t0, CORE_ACTIVATION(tp)
    ld      t1, PORT_DOMAIN(t4)
    lhu     t2, ACTIVATION_CALLS_LEFT(t0)
    addi    t2, t2, -1
    slli    a5, a5, META_KIND_SHIFT
    or      t2, t2, a5
    sd      t0, ACTIVATION_PREVIOUS(sp)
    sd      t1, ACTIVATION_DOMAIN(sp)
    sd      t4, ACTIVATION_PORT(sp)
    sd      t2, ACTIVATION_META(sp)
    sd      a3, ACTIVATION_SATP_ENTRY(sp)
    sd      a2, ACTIVATION_MESSAGE(sp)
    sd      a4, ACTIVATION_STACK(sp)
    sd      sp, CORE_ACTIVATION(tp)
    ld      t0, PORT_ENTRY(t4)
    li      t1, SSTATUS_FS_BITS | SSTATUS_SPP_BIT
    csrw    sepc, t0
    csrc    sstatus, t1
    csrw    sscratch, tp
    mv      t0, a2
    ld      sp, STACK_TOP(a4)
    ld      tp, STACK_TP(a4)
    mv      a0, a1
    ld      a1, 0(t0)
    ld      a2, 8(t0)
    ld      a3, 16(t0)
    ld      a4, 24(t0)
    ld      a5, 32(t0)
    ld      a6, PORT_COOKIE(t4)
    clear_saved_registers
    clear_temporaries
    li      a7, 0
    sret

/*
 * void activation_enter_from_user(const struct user_entry *entry, struct activation *place);
 * Everything is read before the record is written: the two may overlap. Rules as above; does not return.
 */
    .globl activation_enter_from_user
activation_enter_from_user:
    mv      t6, a1
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
    ld      s\n, (8 * \n)(a0)
    .endr
    ld      a1, (USER_ENTRY_MESSAGE + MESSAGE_TAG_WORD)(a0)
    ld      a2, (USER_ENTRY_MESSAGE + MESSAGE_WORD0 + 0)(a0)
    ld      a3, (USER_ENTRY_MESSAGE + MESSAGE_WORD0 + 8)(a0)
    ld      a4, (USER_ENTRY_MESSAGE + MESSAGE_WORD0 + 16)(a0)
    ld      a5, (USER_ENTRY_MESSAGE + MESSAGE_WORD0 + 24)(a0)
    ld      a0, USER_ENTRY_BADGE(a0)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
    sd      s\n, (8 * \n)(t6)
    .endr
    ld      t4, ACTIVATION_PORT(t6)
    sd      t6, CORE_ACTIVATION(tp)
    ld      t0, PORT_ENTRY(t4)
    li      t1, SSTATUS_FS_BITS | SSTATUS_SPP_BIT
    csrw    sepc, t0
    csrc    sstatus, t1
    csrw    sscratch, tp
    ld      a6, PORT_COOKIE(t4)
    ld      t5, ACTIVATION_STACK(t6)
    ld      sp, STACK_TOP(t5)
    ld      tp, STACK_TP(t5)
    clear_saved_registers
    clear_temporaries
    li      a7, 0
    sret

/*
 * void activation_return_kernel(struct activation *activation, status_t status);
 * Pops the record that activation_enter_user pushed (it must be the innermost) and lets that call
 * return `status`. In: interrupts off, the address space of the record below is loaded. Does not
 * return to its caller.
 */
    .globl activation_return_kernel
activation_return_kernel:
    /* group: restore */
    ld      t0, ACTIVATION_PREVIOUS(a0)
    sd      t0, CORE_ACTIVATION(tp)
    addi    sp, a0, ACTIVATION_SIZE
    mv      a0, a1
/* fastpath.S has popped the record: sp lies behind it, a0 is the status. */
    .globl activation_return_restore
activation_return_restore:
    /* group: restore */
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ld      s\n, (8 * \n)(sp)
    .endr
    ld      ra, 96(sp)
    addi    sp, sp, SAVED_BYTES
    csrsi   sstatus, SSTATUS_SIE_BIT
    ret
