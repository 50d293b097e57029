/* SPDX-License-Identifier: MIT */
/*
 * System call numbers. `user/lib/baton.h` documents each call, a paragraph with every error.
 *
 * Rules: number in a7, arguments in a0..a6, status (or a handle) in a0. Preserved: sp, tp, gp
 * and, except by SYS_CALL, SYS_RETURN and SYS_REPLY_RECEIVE, ra and s0..s11. All other registers come back zero
 * or as documented. Those three are first so that the trap path tells them apart with a branch or two; SYS_SEND,
 * SYS_RECEIVE and SYS_REPLY move whole messages and take the same way.
 */
#pragma once

enum system_call {
    SYS_CALL = 0,   /* a0 port, a1..a5 message, a6 deadline -> a0 status, a1..a5 reply */
    SYS_RETURN = 1, /* a1..a5 reply; does not come back */
    SYS_REPLY_RECEIVE =
        2,           /* a0 mailbox, a1..a5 reply, a6 deadline, t0 token or 0 -> as SYS_RECEIVE */
    SYS_SEND = 3,    /* a0 port, a1..a5 message, a6 deadline -> a0 status,
                        a1 id of the result with MESSAGE_TAG_RESULT */
    SYS_RECEIVE = 4, /* a0 port, a6 deadline -> a0 status, a1..a5 message, a6 badge, a7 token */
    SYS_REPLY = 5,   /* a0 token, a1..a5 reply -> a0 status */
    SYS_MESSAGE_LAST = 5,      /* numbers up to here use the message path of trap.S */
    SYS_NULL = 6,              /* -> OK */
    SYS_YIELD = 7,             /* -> OK */
    SYS_THREAD_CREATE = 8,     /* a0 entry, a1 stack top, a2 argument, a3 tp -> handle */
    SYS_THREAD_EXIT = 9,       /* a0 code; does not come back */
    SYS_JOIN = 10,             /* a0 thread or domain, a1 deadline -> exit code, or an error */
    SYS_THREAD_KILL = 11,      /* a0 thread -> status */
    SYS_THREAD_MIGRATE = 12,   /* a0 core index -> status: move the calling thread there */
    SYS_THREAD_CORE = 13,      /* -> core index on which the caller runs */
    SYS_SLEEP = 14,            /* a0 deadline -> status */
    SYS_DOMAIN_EXIT = 15,      /* a0 code; ends the calling domain; does not come back */
    SYS_PORT_CREATE = 16,      /* a0 kind, a1 entry, a2 stack top, a3 tp, a4 cookie,
                                  a5 message page or 0 -> handle */
    SYS_PORT_CLOSE = 17,       /* a0 port or notification -> status */
    SYS_HANDLE_CLOSE = 18,     /* a0 handle -> status */
    SYS_HANDLE_DUPLICATE = 19, /* a0 handle, a1 rights, a2 badge -> handle */
    SYS_MEMORY_MAP = 20,       /* a0 address or 0, a1 bytes, a2 protection and flags,
                                  a3 memory or 0, a4 offset, a5 alignment or 0 -> address */
    SYS_MEMORY_UNMAP = 21,     /* a0 address, a1 bytes -> status */
    SYS_DEBUG_WRITE = 22,      /* a0 address, a1 bytes -> status: to the kernel's log */
    SYS_CLOCK = 23,            /* -> nanoseconds since boot */
    SYS_MEMORY_CREATE = 24,    /* a0 bytes, a1 kind -> handle */
    SYS_MEMORY_PROTECT = 25,   /* a0 address, a1 bytes, a2 protection -> status */
    SYS_MEMORY_CLONE = 26,     /* a0 memory -> handle */
    SYS_MEMORY_PIN = 27,       /* a0 memory, a1 offset, a2 bytes -> physical address or 0 */
    SYS_MEMORY_UNPIN = 28,     /* a0 memory, a1 offset, a2 bytes -> status */
    SYS_MEMORY_SLICE = 29,     /* a0 memory, a1 offset, a2 bytes -> handle */
    SYS_MEMORY_INFO = 30,      /* a0 memory, a1 address of struct memory_info -> status */
    SYS_DOMAIN_SET_PAGER = 31, /* a0 domain, a1 port or 0 -> status */
    SYS_PORT_CREATE_CONCURRENT = 32, /* a0 entry, a1 address of an array of struct port_stack,
                                        a2 how many, a3 cookie -> handle */
    SYS_THREAD_SET_PRIORITY = 33,    /* a0 thread, a1 priority -> status */
    SYS_MESSAGE_PAGE = 34,           /* a0 message page or 0 -> status */
    SYS_NOTIFICATION_CREATE = 35,    /* -> handle */
    SYS_SIGNAL = 36,                 /* a0 notification, a1 bits -> status */
    SYS_WAIT = 37,                   /* a0 notification, a1 mask or 0 for all, a2 deadline
                                        -> a0 status, a1 bits */
    SYS_PORT_BIND = 38,             /* a0 port, a1 notification or 0, a2 bits, a3 event -> status */
    SYS_INTERRUPT_BIND = 39,        /* a0 line, a1 notification or 0, a2 bits, a3 all device memory
                                       -> status */
    SYS_INTERRUPT_ACKNOWLEDGE = 40, /* a0 line, a1 notification -> status */
    SYS_RESULT = 41,                /* reserved */
    SYS_PORT_CONFIGURE = 42,        /* reserved */
    SYS_HANDLE_REVOKE = 43,         /* a0 handle -> status */
    SYS_COUNT = 44,
};

/* Kinds for SYS_PORT_CREATE, but for the last, which has a call of its own. A combining service is an exclusive one whose runs are short and never
 * wait: who holds its baton runs it for some of those who wait, too. */
#define PORT_EXCLUSIVE 0
#define PORT_MAILBOX 1
#define PORT_COMBINING 2
#define PORT_CONCURRENT 3

/* Protection of mapped memory: read is implied; write and execute exclude each other. */
#define PROTECT_READ 1
#define PROTECT_WRITE 2
#define PROTECT_EXECUTE 4
#define PROTECT_NONE 8 /* no access at all; alone */

/* Flags of SYS_MEMORY_MAP, beside the protection. */
#define MEMORY_POPULATE 0x100 /* enter every page now instead of when it is touched */
#define MEMORY_GUARDED 0x200  /* keep the page below and the page above free */

/* Priorities for SYS_THREAD_SET_PRIORITY: 0 to REALTIME_PRIORITIES - 1, or this: shares the time that real-time
 * threads leave. */
#define PRIORITY_SHARING 256

/* Deadlines: absolute nanoseconds since boot. */
#define DEADLINE_NONE 0UL   /* wait for ever */
#define DEADLINE_NOW (~0UL) /* do not wait at all */
