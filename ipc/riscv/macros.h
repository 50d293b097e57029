/* SPDX-License-Identifier: MIT */
/*
 * Assembly shared by the call paths: taking and giving the baton, clearing registers.
 *
 * Rules: included by the .S files of this folder only.
 */
#pragma once

#include "ipc/riscv/offsets.h"

/*
 * Take the baton of the port in t4 if its word is 0 (idle, open, nobody queued). Clobbers t5, t6.
 * lr.aq: the service sees what the last holder wrote; pairs with the sc.rl of baton_give and the
 * release in baton_release.
 */
    .macro baton_take slow
    addi    t5, t4, PORT_WORD
.Ltake\@:
    lr.d.aq t6, (t5)
    bnez    t6, \slow
    li      t6, 1
    sc.d    t6, t6, (t5)
    bnez    t6, .Ltake\@
    .endm

/*
 * Give the baton of the port in t1 back if nothing came meanwhile. Clobbers t2, t3, t4. The holder
 * is cleared first: who sees the port idle sees no stale holder.
 * sc.rl: publishes what the service wrote; pairs with the lr.aq of baton_take.
 */
    .macro baton_give slow
    sd      zero, PORT_HOLDER(t1)
    addi    t2, t1, PORT_WORD
    li      t4, 1
.Lgive\@:
    lr.d    t3, (t2)
    bne     t3, t4, \slow
    sc.d.rl t3, zero, (t2)
    bnez    t3, .Lgive\@
    .endm

/* Count a run of the port in t4 and note who runs it. Clobbers t5, t6. */
    .macro port_note_run
    ld      t5, CORE_CURRENT(tp)
    ld      t6, PORT_CALLS(t4)
    sd      t5, PORT_HOLDER(t4)
    addi    t6, t6, 1
    sd      t6, PORT_CALLS(t4)
    .endm

    .macro clear_saved_registers
    .irp n, ra, gp, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11
    li      \n, 0
    .endr
    .endm

    .macro clear_temporaries
    .irp n, t0, t1, t2, t3, t4, t5, t6
    li      \n, 0
    .endr
    .endm
