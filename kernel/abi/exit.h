/* SPDX-License-Identifier: MIT */
/*
 * Exit codes of threads and domains, as SYS_JOIN returns them.
 *
 * Rules: 0..255 is what the program chose (only the low 8 bits of its code are kept);
 * EXIT_KILLED + a reason is what the kernel chose. Negative values are errors of the join
 * itself. Reasons are part of the contract: a number is never reused.
 */
#pragma once

#define EXIT_CODE_MASK 0xff /* what is kept of the code that a program gives */
#define EXIT_KILLED 256     /* killed by another domain; + a fault reason when it faulted */

/* Why the kernel ended a domain: the exit code is EXIT_KILLED + the reason. */
enum exit_reason {
    EXIT_REASON_KILLED = 0,    /* a kill, no fault */
    EXIT_FAULT_LOAD = 1,       /* a load from an address that is not mapped readable */
    EXIT_FAULT_STORE = 2,      /* a store to an address that is not mapped writable */
    EXIT_FAULT_EXECUTE = 3,    /* a jump to an address that is not mapped executable */
    EXIT_FAULT_ILLEGAL = 4,    /* an illegal or privileged instruction */
    EXIT_FAULT_MISALIGNED = 5, /* a misaligned access that the machine does not do */
    EXIT_FAULT_BREAKPOINT = 6, /* ebreak */
    EXIT_FAULT_ACCESS = 7,     /* physical memory refused the access */
    EXIT_FAULT_OTHER = 8,      /* any other exception */
    EXIT_REASON_NO_MEMORY = 9, /* the kernel could not go on serving it */
};
