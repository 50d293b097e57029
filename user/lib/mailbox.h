/* SPDX-License-Identifier: MIT */
/*
 * Threads that serve a mailbox: receive calls and letters, and reply.
 *
 * Rules: those of message.h. A mailbox is made with port_create(PORT_MAILBOX, ...); callers use port_call.
 */
#pragma once

#include "user/lib/message.h"

/* What a thread receives from a mailbox. */
struct delivery {
    struct message message;
    uint64_t badge; /* of the sender's or caller's handle */
    uint64_t
        token; /* names the call, or the letter whose sender wants a result; 0: nobody waits for a reply */
};

/*
 * SYS_RECEIVE: takes the oldest letter or call out of the mailbox `port`; waits for one until `deadline`. After
 * an error *delivery is unchanged. A call with a token waits until a thread of this domain replies to it, its
 * caller leaves, or this domain ends. Errors as port_receive, which is for mailboxes that nobody calls.
 */
static inline status_t mailbox_receive(handle_t port, struct delivery *delivery, uint64_t deadline)
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
        MESSAGE_STORE(&delivery->message);
        delivery->badge = a6;
        delivery->token = a7;
    }
    return (status_t)a0;
}

/*
 * SYS_REPLY: ends the call that `token` names; its caller returns with *reply. Any thread of the domain that
 * received the call may do so, once. ERR_INVALID: the tag. ERR_STALE: no such call: it was replied to, its caller has
 * left (deadline, end), or the token never was one. ERR_DENIED: another domain has received the call.
 */
static inline status_t mailbox_reply(uint64_t token, const struct message *reply)
{
    register uint64_t a0 __asm__("a0") = token;
    MESSAGE_REGISTERS(reply);
    register uint64_t a6 __asm__("a6") = 0;
    register uint64_t a7 __asm__("a7") = SYS_REPLY;

    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6),
                       "+r"(a7)
                     :
                     : "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    return (status_t)a0;
}

/*
 * SYS_REPLY_RECEIVE: replies to the call that delivery->token names with delivery->message, and then receives into
 * *delivery, in one trap; a caller that waits on this core goes on at once, in this thread's time. A token of 0 is none;
 * a reply to a call that has ended meanwhile is dropped (mailbox_reply tells). Clobbers what SYS_CALL does. After an
 * error *delivery is all zero, so the next try only receives. Before the reply: ERR_BAD_HANDLE, ERR_WRONG_TYPE,
 * ERR_NO_RIGHT (RIGHT_RECEIVE), ERR_INVALID (the tag), ERR_DENIED (another domain has received that call). After it, as
 * mailbox_receive: ERR_STALE, ERR_PEER_DIED, ERR_WOULD_BLOCK, ERR_TIMED_OUT. ERR_CANCELLED: this thread is to end;
 * before or after.
 */
static inline status_t mailbox_reply_receive(handle_t port, struct delivery *delivery,
                                             uint64_t deadline)
{
    register uint64_t a0 __asm__("a0") = port;
    MESSAGE_REGISTERS(&delivery->message);
    register uint64_t a6 __asm__("a6") = deadline;
    register uint64_t a7 __asm__("a7") = SYS_REPLY_RECEIVE;
    register uint64_t t0 __asm__("t0") = delivery->token;

    __asm__ volatile("sd s0, -8(tp)\n\t"
                     "ecall\n\t"
                     "ld s0, -8(tp)"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6),
                       "+r"(a7), "+r"(t0)
                     :
                     : "ra", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11",
                       "t1", "t2", "t3", "t4", "t5", "t6", "memory");
    MESSAGE_STORE(&delivery->message);
    delivery->badge = a6;
    delivery->token = a7;
    return (status_t)a0;
}
