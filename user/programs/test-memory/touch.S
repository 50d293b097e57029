/* SPDX-License-Identifier: MIT */
/*
 * A load with every register in use.
 */
#define PATTERN 0x5c5c5c5c5c5c5c00
#define SAVE_BYTES 112             /* ra, gp, s0..s11 */
#define STORE_BYTES 256            /* x1..x31 */

    .section .text.touch, "ax", @progbits

/* uint64_t touch_with_all_registers(const volatile uint64_t *address)
 * Loads from `address`; how many registers are different afterwards. sp and tp are held against copies.
 *   in: a0   out: a0   clobbers: what a C function may   stack: SAVE_BYTES + STORE_BYTES */
    .globl touch_with_all_registers
    .type touch_with_all_registers, @function
touch_with_all_registers:
    addi    sp, sp, -SAVE_BYTES
    sd      ra, 0(sp)
    sd      gp, 8(sp)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    sd      s\n, 16 + 8 * \n(sp)
    .endr
    addi    sp, sp, -STORE_BYTES
    mv      t0, a0
    li      a0, PATTERN
    .irp n, 1,3,6,7,8,9,11,12,13,14,15,16,17,20,21,22,23,24,25,26,27,28,29,30,31
    addi    x\n, a0, \n
    .endr
    addi    a0, a0, 10
    mv      s2, sp
    mv      s3, tp
    ld      zero, 0(t0)
    .irp n, 1,2,3,4,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd      x\n, 8 * \n(sp)
    .endr
    li      t1, PATTERN
    li      a0, 0
    .irp n, 1,3,6,7,8,9,10,11,12,13,14,15,16,17,20,21,22,23,24,25,26,27,28,29,30,31
    ld      t2, 8 * \n(sp)
    addi    t3, t1, \n
    sub     t2, t2, t3
    snez    t2, t2
    add     a0, a0, t2
    .endr
    ld      t2, 8 * 18(sp)
    sub     t2, t2, sp
    snez    t2, t2
    add     a0, a0, t2
    ld      t2, 8 * 19(sp)
    sub     t2, t2, tp
    snez    t2, t2
    add     a0, a0, t2
    addi    sp, sp, STORE_BYTES
    ld      ra, 0(sp)
    ld      gp, 8(sp)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    ld      s\n, 16 + 8 * \n(sp)
    .endr
    addi    sp, sp, SAVE_BYTES
    ret
    .size touch_with_all_registers, . - touch_with_all_registers
