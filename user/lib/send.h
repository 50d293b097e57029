/* SPDX-License-Identifier: MIT */
/*
 * The system calls of messages that their sender does not wait for: send, and collect the result.
 *
 * Rules: those of message.h.
 */
#pragma once

#include "user/lib/message.h"

/*
 * SYS_SEND: leaves a copy of `message` at `port` and goes on: in the queue of a mailbox, or for a service, which is
 * run for it soon, by a thread of the kernel's; what it replies is dropped. Messages of one sender arrive in order.
 * At a port where as many wait as it has room for we wait until `deadline` (DEADLINE_NOW: not at all).
 * The message is charged to our domain until it is delivered. Needs RIGHT_SEND. ERR_BAD_HANDLE: no such handle.
 * ERR_WRONG_TYPE: no port. ERR_NO_RIGHT: no RIGHT_SEND. ERR_STALE: the port was closed. ERR_PEER_DIED: its
 * domain ended. ERR_INVALID: the tag. ERR_WOULD_BLOCK: DEADLINE_NOW and no room. ERR_TIMED_OUT: the deadline
 * passed first. ERR_NO_MEMORY: the domain's quota is used up. ERR_CANCELLED: this thread is to end.
 */
static inline status_t port_send_until(handle_t port, const struct message *message,
                                       uint64_t deadline)
{
    register uint64_t a0 __asm__("a0") = port;
    MESSAGE_REGISTERS(message);
    register uint64_t a6 __asm__("a6") = deadline;
    register uint64_t a7 __asm__("a7") = SYS_SEND;

    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6),
                       "+r"(a7)
                     :
                     : "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (status_t)a0;
}

/* The same without waiting for room. */
static inline status_t port_send(handle_t port, const struct message *message)
{
    return port_send_until(port, message, DEADLINE_NOW);
}

/*
 * SYS_SEND with MESSAGE_TAG_RESULT: the same, and `*id` names the result, the reply or why there will be none. At most
 * MAX_RESULTS of a domain wait to be collected: ERR_NO_SPACE.
 */
static inline status_t port_send_for_result(handle_t port, const struct message *message,
                                            uint64_t deadline, uint64_t *id)
{
    register uint64_t a0 __asm__("a0") = port;
    MESSAGE_REGISTERS(message);
    register uint64_t a6 __asm__("a6") = deadline;
    register uint64_t a7 __asm__("a7") = SYS_SEND;

    a1 |= MESSAGE_TAG_RESULT;
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6),
                       "+r"(a7)
                     :
                     : "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    if (a0 == (uint64_t)OK) {
        *id = a1;
    }
    return (status_t)a0;
}

/*
 * SYS_RESULT: collects the result of a message that this domain has sent, once; waits for it until `deadline`. OK:
 * `reply` is the answer. ERR_STALE: no such id, it was collected, or it is another domain's; or the port was closed before it
 * was delivered. ERR_PEER_DIED: the domain of the service ended. ERR_WOULD_BLOCK: DEADLINE_NOW and there is none yet;
 * or another thread waits for it. ERR_TIMED_OUT: the deadline passed first. ERR_CANCELLED: this thread is to end.
 */
static inline status_t message_result(uint64_t id, struct message *reply, uint64_t deadline)
{
    register uint64_t a0 __asm__("a0") = id;
    register uint64_t a1 __asm__("a1") = 0;
    register uint64_t a2 __asm__("a2") = 0;
    register uint64_t a3 __asm__("a3") = 0;
    register uint64_t a4 __asm__("a4") = 0;
    register uint64_t a5 __asm__("a5") = 0;
    register uint64_t a6 __asm__("a6") = deadline;
    register uint64_t a7 __asm__("a7") = SYS_RESULT;

    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6),
                       "+r"(a7)
                     :
                     : "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    if (a0 == (uint64_t)OK) {
        MESSAGE_STORE(reply);
    }
    return (status_t)a0;
}
