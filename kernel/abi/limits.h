/* SPDX-License-Identifier: MIT */
/*
 * Limits that user space may rely on.
 *
 * Rules: a constant here is checked where it matters; exceeding it is an error, never a
 * silent truncation.
 */
#pragma once

#define MAX_CORES 128     /* cores a machine may have */
#define MAX_CALL_DEPTH 16 /* nested calls on one thread */
#define REALTIME_PRIORITIES 256
#define MAX_MESSAGE_WORDS                                                                          \
    64 /* words of one message; the first MESSAGE_REGISTER_WORDS in registers */
#define MESSAGE_REGISTER_WORDS 4
#define MAX_MESSAGE_HANDLES 4     /* handles of one message */
#define MAX_MESSAGE_SEGMENTS 4    /* segments of one message */
#define MAX_SEGMENT_BYTES 1048576 /* of one segment */
#define MAX_NAME_BYTES 64         /* a port name, without the terminating zero */
#define MAX_NAMES 131072          /* names of ports in all */
#define MAX_NAME_WATCHES 128      /* watches of names in all */
#define MAX_DOMAIN_WATCHES 16     /* those of the notifications of one domain */
#define MAX_REGISTER_BYTES 256    /* patterns of names that a program may register, with a zero */
#define MAX_PORT_NAMES 8          /* names of one port */
#define MAX_PROGRAM_NAME_BYTES 32 /* a program's file name, with the terminating zero */
#define MAX_ARGUMENTS 32          /* argv entries of a program */
#define MAX_ARGUMENT_BYTES 2048   /* all argv strings with their zeros */
#define PORT_QUEUE_CAPACITY                                                                        \
    64 /* messages that wait at one port, unless SYS_PORT_CONFIGURE says otherwise, */
#define MAX_PORT_CAPACITY 4096 /* which may say up to so many */
#define MAX_RESULTS 1024       /* results of sent messages that a domain has not collected */
#define MAX_RUNS 32            /* runs at once of one concurrent service */
#define MAX_HANDLES 65536      /* handles of one domain */
#define MAX_INTERRUPTS 1024    /* lines of the interrupt controller, with line 0, which is none */
#define PAGE_BYTES 4096

/* User addresses: [USER_BASE, USER_TOP). The first page is never mapped. */
#define USER_BASE 0x1000UL
#define USER_TOP 0x4000000000UL
