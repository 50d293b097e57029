/* SPDX-License-Identifier: MIT */
/*
 * The common call by kernel code.
 *
 * Protocol of the word: as in fastpath.S.
 */
#include "arch/riscv/offsets.h"
#include "ipc/riscv/macros.inc"

#define FRAME_BYTES 32

    .text

/*
 * status_t call_port(struct port *port, uint64_t badge, struct message *message, nsec_t deadline);
 * Runs a leaf that is idle, as a function. All else goes to call_port_any, before any side effect.
 */
    .balign 64
    .globl call_port
call_port:
    /* group: checks */
    ld      t0, PORT_LEAF_RUN(a0)
    beqz    t0, .Lany
    lw      t1, MESSAGE_TAG_WORD(a2)
    li      t2, REGISTER_WORDS
    bltu    t2, t1, .Lany
    mv      t4, a0
    /* group: take the baton */
    baton_take t1, .Lany
    /* group: holder and count */
    port_note_run t2, t3
    /* group: frame, enter, come back */
    addi    sp, sp, -FRAME_BYTES
    sd      ra, 24(sp)
    sd      s0, 16(sp)
    sd      a0, 8(sp)
    addi    s0, sp, FRAME_BYTES
    mv      a0, a2
    jalr    t0
    ld      t1, 8(sp)
    ld      ra, 24(sp)
    ld      s0, 16(sp)
    addi    sp, sp, FRAME_BYTES
    /* group: give the baton */
    li      t4, 1
    baton_give .Lqueued, t4
    li      a0, 0
    ret

    /* group: not a leaf */
.Lany:
    j       call_port_any

/* Somebody came: call_give_port returns to our caller, with OK. */
.Lqueued:
    mv      a0, t1
    j       call_give_port
