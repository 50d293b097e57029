/* SPDX-License-Identifier: MIT */
/*
 * From the registers of a call to a C function and back.
 *
 * Rules: the message is moved through memory only here. Nothing is restored before SYS_RETURN:
 * the next run gets a fresh stack pointer.
 */
#define SYS_RETURN 1   /* kernel/abi/syscall.h; service.c checks it */
#define RECORD_FN 0    /* struct service_record */
#define RECORD_CONTEXT 8
#define MESSAGE_FRAME_BYTES 48 /* a struct message, rounded up for the stack's alignment */

    .section .text.service_entry, "ax", @progbits

/* void service_entry(badge, tag, w0, w1, w2, w3, cookie)
 *   in: a0 badge, a1..a5 message, a6 struct service_record, sp, tp; all else zero
 *   out: never (SYS_RETURN)   clobbers: all   stack: one message */
    .globl service_entry
    .type service_entry, @function
    .balign 4
service_entry:
    addi    sp, sp, -MESSAGE_FRAME_BYTES
    sd      a1, 0(sp)
    sd      a2, 8(sp)
    sd      a3, 16(sp)
    sd      a4, 24(sp)
    sd      a5, 32(sp)
    mv      a1, a0
    mv      a2, sp
    ld      t0, RECORD_FN(a6)
    ld      a0, RECORD_CONTEXT(a6)
    jalr    t0
    ld      a1, 0(sp)
    ld      a2, 8(sp)
    ld      a3, 16(sp)
    ld      a4, 24(sp)
    ld      a5, 32(sp)
    li      a7, SYS_RETURN
    ecall
    slli    a1, a0, 32          /* it came back: why is the label of an empty reply */
    li      a7, SYS_RETURN
    ecall
    ebreak                      /* serves no call: somebody jumped here */
    .size service_entry, . - service_entry
