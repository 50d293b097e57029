/* SPDX-License-Identifier: MIT */
/*
 * Any system call with any arguments, whatever it does to the registers.
 */
    .text

/*
 * void raw_call(uint64_t registers[8]);
 *   in: a0 = address of a0..a7   out: *registers = a0..a7 as they came back
 *   clobbers: what a C function may   stack: 112 bytes
 */
    .globl raw_call
    .type raw_call, @function
raw_call:
    addi    sp, sp, -112
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sd      s\n, (8 * \n)(sp)
    .endr
    sd      ra, 96(sp)
    sd      a0, 104(sp)
    mv      t0, a0
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    ld      a\n, (8 * \n)(t0)
    .endr
    ecall
    ld      t0, 104(sp)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    sd      a\n, (8 * \n)(t0)
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ld      s\n, (8 * \n)(sp)
    .endr
    ld      ra, 96(sp)
    addi    sp, sp, 112
    ret
    .size raw_call, . - raw_call

/* The code of a service: answers with what it was sent, and without words if the kernel does not want that. */
    .globl raw_service
    .type raw_service, @function
raw_service:
    li      a7, 1
    ecall
    li      a1, 0
    li      a7, 1
    ecall
    ebreak
    .size raw_service, . - raw_service
