/* SPDX-License-Identifier: MIT */
/*
 * A caller and a service that see every register.
 *
 * Rules: probe.h has the contracts. Register lists are written out by macros; the numbers of
 * system calls and the pattern are compared in registers.c.
 */
#define SYS_CALL 0
#define SYS_RETURN 1
#define CALLER_PATTERN 0x5c5c5c5c5c5c5c00 /* PROBE_CALLER_PATTERN */
#define SERVICE_PATTERN 0x2929292929292900
#define SAVE_BYTES 128             /* ra, gp, s0..s11, after; rounded up */
#define STORE_BYTES 256            /* x1..x31 */
#define SCRIBBLE_BYTES 1024

    .section .text.probe, "ax", @progbits

/* void probe_call(handle_t port, const struct message *message, uint64_t after[32])
 *   in: a0, a1, a2   out: after   clobbers: what a C function may
 *   stack: SAVE_BYTES + STORE_BYTES */
    .globl probe_call
    .type probe_call, @function
probe_call:
    li      a3, 0

/* void probe_call_until(handle_t port, const struct message *message, uint64_t after[32], uint64_t deadline)
 *   the same with a deadline in a3 */
    .globl probe_call_until
    .type probe_call_until, @function
probe_call_until:
    mv      a6, a3
    addi    sp, sp, -SAVE_BYTES
    sd      ra, 0(sp)
    sd      gp, 8(sp)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    sd      s\n, 16 + 8 * \n(sp)
    .endr
    sd      a2, 112(sp)
    addi    sp, sp, -STORE_BYTES
    ld      a5, 32(a1)
    ld      a4, 24(a1)
    ld      a3, 16(a1)
    ld      a2, 8(a1)
    ld      a1, 0(a1)
    li      t0, CALLER_PATTERN
    .irp n, 1,3,6,7,8,9,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    addi    x\n, t0, \n
    .endr
    addi    t0, t0, 5
    li      a7, SYS_CALL
    ecall
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd      x\n, 8 * \n(sp)
    .endr
    addi    t0, sp, STORE_BYTES
    ld      t1, 112(t0)
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld      t2, 8 * \n(sp)
    sd      t2, 8 * \n(t1)
    .endr
    addi    sp, sp, STORE_BYTES
    ld      ra, 0(sp)
    ld      gp, 8(sp)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    ld      s\n, 16 + 8 * \n(sp)
    .endr
    addi    sp, sp, SAVE_BYTES
    ret
    .size probe_call, . - probe_call
    .size probe_call_until, . - probe_call_until

/* void probe_service(badge, tag, w0, w1, w2, w3, cookie)
 *   in: a0..a6 as the kernel enters a service   out: never (SYS_RETURN)
 *   clobbers: all   stack: SCRIBBLE_BYTES */
    .globl probe_service
    .type probe_service, @function
    .balign 4
probe_service:
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd      x\n, 8 * \n(a6)
    .endr
    li      t0, SERVICE_PATTERN
    addi    t1, sp, -SCRIBBLE_BYTES
1:
    sd      t0, 0(t1)
    addi    t1, t1, 8
    bltu    t1, sp, 1b
    .irp n, 1,2,3,4,6,7,8,9,10,16,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    addi    x\n, t0, \n
    .endr
    addi    t0, t0, 5
    li      a7, SYS_RETURN
    ecall
    ebreak                      /* the kernel does not come back */
    .size probe_service, . - probe_service
