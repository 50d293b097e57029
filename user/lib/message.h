/* SPDX-License-Identifier: MIT */
/*
 * The system calls that move a message: call, return, receive; user/lib/send.h has those that send, mailbox.h those that
 * receive calls and reply.
 *
 * Rules: the message travels in a1..a5 and is loaded and stored by the compiler around one
 * ecall, so a stub costs what the caller really uses. SYS_CALL preserves only sp and tp (and
 * the floating-point registers); everything else is a clobber, except s0, which may be the
 * frame pointer and is kept at -8(tp) (user/lib/tls_priv.h); afterwards t0, t2 and t4 may hold the caller's own pc or a
 * constant, the rest of what is clobbered is 0 or as it was. The others preserve ra and
 * s0..s11 too. Every message is checked: ERR_INVALID when its tag has reserved bits or says more than
 * MAX_MESSAGE_WORDS, MAX_MESSAGE_HANDLES or MAX_MESSAGE_SEGMENTS; a mailbox takes nothing but words in registers.
 *
 * What a message has beyond four words, and the errors that brings: message_page.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/message.h"
#include "kernel/abi/rights.h"
#include "kernel/abi/status.h"
#include "kernel/abi/syscall.h"

/* Names the registers of a message: a1 tag, a2..a5 words, as inputs and outputs. */
#define MESSAGE_REGISTERS(message)                                                                 \
    register uint64_t a1 __asm__("a1") = (message)->tag;                                           \
    register uint64_t a2 __asm__("a2") = (message)->word[0];                                       \
    register uint64_t a3 __asm__("a3") = (message)->word[1];                                       \
    register uint64_t a4 __asm__("a4") = (message)->word[2];                                       \
    register uint64_t a5 __asm__("a5") = (message)->word[3]

#define MESSAGE_STORE(message)                                                                     \
    ((message)->tag = a1, (message)->word[0] = a2, (message)->word[1] = a3,                        \
     (message)->word[2] = a4, (message)->word[3] = a5)

/* The ecall of SYS_CALL and SYS_RETURN. */
#define MESSAGE_TRAP(r0, r1, r2, r3, r4, r5, r6, r7)                                               \
    __asm__ volatile("sd s0, -8(tp)\n\t"                                                           \
                     "ecall\n\t"                                                                   \
                     "ld s0, -8(tp)"                                                               \
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6),       \
                       "+r"(r7)                                                                    \
                     :                                                                             \
                     : "ra", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11",   \
                       "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory")

/*
 * SYS_CALL: runs the service behind `port` on the calling thread and waits for its reply; or, if `port` is a
 * mailbox, waits until a thread has received the message and replied.
 *
 * `message` is the request and, after OK, the reply; after an error it is unchanged. `deadline`
 * limits the whole call, in nanoseconds since boot: when it passes the service finishes its run without
 * us. DEADLINE_NONE: there is none. DEADLINE_NOW: only a wait for a service that others run is refused, and any call
 * of a mailbox, since that waits for another thread. The
 * reply's label is the service's own status. Needs RIGHT_CALL.
 * ERR_BAD_HANDLE: no such handle. ERR_WRONG_TYPE: no port. ERR_NO_RIGHT: no
 * RIGHT_CALL. ERR_STALE: the port was closed, before the call or while it waited; a mailbox, before a thread received it. ERR_INVALID:
 * the tag. ERR_DEPTH: more than MAX_CALL_DEPTH nested calls, or fewer of which several are calls of
 * pagers. ERR_DEADLOCK: the call would wait for itself, in this thread's chain of calls or through a
 * ring of chains. ERR_WOULD_BLOCK: DEADLINE_NOW and somebody runs the service. ERR_TIMED_OUT: the
 * deadline passed first. ERR_TOO_LONG, ERR_FAULT, ERR_NO_SPACE, ERR_NO_MEMORY: message_page.h. ERR_PEER_DIED: the domain of the service, or of the thread that
 * received, ended before it replied, or while the call waited. ERR_CANCELLED: this thread is to end.
 */
static inline status_t port_call_until(handle_t port, struct message *message, uint64_t deadline)
{
    register uint64_t a0 __asm__("a0") = port;
    MESSAGE_REGISTERS(message);
    register uint64_t a6 __asm__("a6") = deadline;
    register uint64_t a7 __asm__("a7") = SYS_CALL;

    MESSAGE_TRAP(a0, a1, a2, a3, a4, a5, a6, a7);
    if (__builtin_expect(a0 == (uint64_t)OK, 1)) {
        MESSAGE_STORE(message);
    }
    return (status_t)a0;
}

/* The same without a deadline. */
static inline status_t port_call(handle_t port, struct message *message)
{
    return port_call_until(port, message, DEADLINE_NONE);
}

/*
 * SYS_RETURN: ends this run of a service with `message` as the reply. Does not come back when it
 * works: the next run starts at the service's entry with a fresh stack. ERR_INVALID: the tag, or
 * this thread serves no call here. Those of a long message: message_page.h. service_create (service.h) does this for the handler.
 */
static inline status_t port_return(const struct message *message)
{
    register uint64_t a0 __asm__("a0") = 0;
    MESSAGE_REGISTERS(message);
    register uint64_t a6 __asm__("a6") = 0;
    register uint64_t a7 __asm__("a7") = SYS_RETURN;

    MESSAGE_TRAP(a0, a1, a2, a3, a4, a5, a6, a7);
    return (status_t)a0;
}

/*
 * SYS_RECEIVE for a mailbox that nobody calls: takes the oldest message out of `port`; waits for one until
 * `deadline`. After OK `message` holds it and `*badge` the badge of the sender's handle; after
 * an error both are unchanged. Needs RIGHT_RECEIVE. ERR_BAD_HANDLE: no such handle.
 * ERR_WRONG_TYPE: no port, or no mailbox. ERR_NO_RIGHT: no RIGHT_RECEIVE. ERR_STALE: the port
 * was closed, before or while it waited. ERR_WOULD_BLOCK: DEADLINE_NOW and the queue is empty.
 * ERR_TIMED_OUT: the deadline passed first. ERR_CANCELLED: this thread is to end.
 */
static inline status_t port_receive(handle_t port, struct message *message, uint64_t *badge,
                                    uint64_t deadline)
{
    register uint64_t a0 __asm__("a0") = port;
    register uint64_t a1 __asm__("a1") = 0;
    register uint64_t a2 __asm__("a2") = 0;
    register uint64_t a3 __asm__("a3") = 0;
    register uint64_t a4 __asm__("a4") = 0;
    register uint64_t a5 __asm__("a5") = 0;
    register uint64_t a6 __asm__("a6") = deadline;
    register uint64_t a7 __asm__("a7") = SYS_RECEIVE;

    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6),
                       "+r"(a7)
                     :
                     : "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    if (a0 == (uint64_t)OK) {
        MESSAGE_STORE(message);
        *badge = a6;
    }
    return (status_t)a0;
}

/* The service's own status: the label of its reply as a signed number. */
static inline status_t message_status(const struct message *message)
{
    return (int32_t)message_label(message->tag);
}

/* Calls and folds both statuses into one: the kernel's when it is an error, else the reply's. */
static inline status_t port_request(handle_t port, struct message *message)
{
    status_t status = port_call(port, message);

    return status == OK ? message_status(message) : status;
}
