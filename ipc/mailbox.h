/* SPDX-License-Identifier: MIT */
/*
 * Mailboxes: threads that receive, and reply; senders that go on, callers that wait for their reply.
 *
 * Rules: thread context, interrupts on, nothing locked. Letters and calls are received in the order in which
 * they came. Letters (ipc/letter.h) are charged to their sender and limited in number; a caller waits with its own
 * record, and allocates nothing. A call is the receiving domain's until it is replied to, by any of its threads: closing
 * the mailbox refuses calls that nobody has received, and leaves the others alone. No caller is captive: it
 * may leave at any moment, and the reply then finds its token stale. Source: seed 001 (L3's reply and
 * receive), seed 002.
 */
#pragma once

#include "arch/trap.h"
#include "ipc/port.h"

/* What a receiver gets. */
struct delivery {
    struct message message;
    uint64_t badge;
    uint64_t token; /* names the call to mailbox_reply; 0: a letter, nobody waits */
};

/* Queue a letter. ERR_INVALID (tag), ERR_WRONG_TYPE (a service), ERR_STALE or ERR_PEER_DIED
 * (closed), ERR_WOULD_BLOCK (full), ERR_NO_MEMORY. */
WARN_UNUSED status_t mailbox_send(struct port *port, uint64_t badge, const struct message *message);

/*
 * Call: queue the message and wait for the reply, which replaces it. The deadline covers all of it.
 * ERR_INVALID (tag), ERR_STALE or ERR_PEER_DIED (closed before it was received), ERR_PEER_DIED (the
 * receiver's domain ended before it replied), ERR_TIMED_OUT, ERR_WOULD_BLOCK (DEADLINE_NOW, always: a reply takes
 * another thread), ERR_CANCELLED; *message is untouched on error.
 */
WARN_UNUSED status_t mailbox_call(struct port *port, uint64_t badge, struct message *message,
                                  nsec_t deadline);

/* Take the oldest letter or call, waiting for one until `deadline`. ERR_WRONG_TYPE, ERR_STALE or
 * ERR_PEER_DIED (closed), ERR_WOULD_BLOCK (DEADLINE_NOW and none), ERR_TIMED_OUT,
 * ERR_CANCELLED; *delivery is untouched on error. */
WARN_UNUSED status_t mailbox_receive(struct port *port, nsec_t deadline, struct delivery *delivery);

/* Reply to the call that `token` names. ERR_INVALID (tag), ERR_STALE (no such call: replied to already, its
 * caller has left, or never was one), ERR_DENIED (another domain has received it). */
WARN_UNUSED status_t mailbox_reply(uint64_t token, const struct message *reply);

/* Both: reply, then receive; the caller runs at once when nothing is there to be received. A reply whose token is 0 or
 * stale is dropped. ERR_DENIED, ERR_INVALID: of the reply, and nothing was received; else as mailbox_receive. */
WARN_UNUSED status_t mailbox_reply_receive(uint64_t token, const struct message *reply,
                                           struct port *port, nsec_t deadline,
                                           struct delivery *delivery);

/* Everybody whose call the domain has received is told that it died. None of its threads runs any more. */
void mailbox_release_callers(const struct domain *domain);

/* --- the same for user code: fill a0..a6 and the token of the frame --- */

/* SYS_CALL of a mailbox, as mailbox_call; the reference to the port is given away. */
status_t mailbox_call_from_user(struct port *port, uint64_t badge, struct message *message,
                                nsec_t deadline);

void mailbox_receive_from_user(struct syscall_frame *frame);
void mailbox_reply_from_user(struct syscall_frame *frame);
void mailbox_reply_receive_from_user(struct syscall_frame *frame);
