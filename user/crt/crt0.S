/* SPDX-License-Identifier: MIT */
/*
 * Entry of every user program.
 *
 * Rules: the loader enters with a0 = sp = the startup block (16-byte aligned), a1 = a handle of
 * the lookup port, a2 = a handle of the own domain, a3 = one of all device memory (init only, else
 * 0); everything else is zero. tp has to be right before any C runs, since errno and the call stub
 * use it.
 */
    .section .text.start, "ax", @progbits

/* void _start(void)
 *   in: a0..a3 as above   out: never   clobbers: all   stack: below the startup block */
    .globl _start
    .type _start, @function
_start:
    la      tp, __first_tls
    mv      s0, zero            /* ends the chain of frame pointers */
    mv      ra, zero
    call    startup_run
    ebreak                      /* startup_run does not return */
    .size _start, . - _start
