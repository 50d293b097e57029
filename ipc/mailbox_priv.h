/* SPDX-License-Identifier: MIT */
/*
 * What the files about mailboxes share: the line of a mailbox (mailbox.c), calls (mailbox_call.c), user code's
 * way (mailbox_user.c).
 *
 * Rules: private to ipc/.
 */
#pragma once

#include "ipc/mailbox.h"

/* A call in the line, among the letters. The record lies on its caller's stack, and is no longer looked at when it was
 * taken off. */
struct mail {
    struct queue_record record;
    struct thread *caller;
    uint64_t token; /* of the call, from the moment at which it is received */
    uint64_t badge;
    struct message message;
};

static inline struct mail *mail_of(struct queue_record *record)
{
    return container_of(record, struct mail, record);
}

/* port.front: a thread that waits at the user boundary, or one of these. BUSY: messages wait, or it is
 * closed; then only who has the lock changes it. */
#define FRONT_NONE 0UL
#define FRONT_BUSY 1UL

/* Put a letter or a call into the line. OK: somebody who waits is in *receiver, or NULL; the caller wakes it. ERR_STALE,
 * ERR_PEER_DIED: closed. Interrupts are off until the receiver was woken. */
status_t mailbox_push(struct port *port, struct queue_record *record, struct thread **receiver);

/* Take a call off that nobody has received; false: somebody has, or it was refused. Interrupts are off. */
bool mailbox_withdraw(struct port *port, struct mail *mail);

/* A receive that goes on. */
struct receive {
    struct port *port;
    struct delivery *delivery;
    status_t status; /* valid when it is over */
};

/* Receive, and run `named` first, as in sched_block_until_for. */
status_t mailbox_receive_for(struct port *port, struct thread *named, nsec_t deadline,
                             struct delivery *delivery);

/* The same for user code without a deadline, which may wait in front; self.rendezvous.mailbox is the port. Its frames
 * may be dropped while it waits. `waited`: it has waited there already, and was woken. */
status_t mailbox_receive_in_front(struct port *port, struct thread *named, bool waited,
                                  struct delivery *delivery);

/* --- mailbox_call.c --- */

/* A call of the running thread begins; its token. `parks`: its frames may be dropped while it is served. */
uint64_t rendezvous_begin(bool parks);

/* A receiver of `server` takes the call that it has just taken off the line; the port's lock is held. */
void rendezvous_accept(const struct mail *mail, struct domain *server);

/* The call of `caller` ends with `status` and *reply, which may be NULL. Its end is the calling code's to decide: it
 * took the record off the line, or the token away. The caller must be woken afterwards. Interrupts are off. */
void rendezvous_finish(struct thread *caller, status_t status, const struct message *reply);

/* Reply; the caller is in *caller and must be woken. As mailbox_reply. Interrupts are off until it is woken. */
status_t rendezvous_reply(uint64_t token, const struct message *reply, struct thread **caller);

/* The same before the receive in one system call: a caller that has left, or none, is no error, and *caller is NULL.
 * Interrupts are on; they are off afterwards if there is a caller. */
status_t rendezvous_reply_first(uint64_t token, const struct message *reply,
                                struct thread **caller);

/* Wait for the end of a call that was pushed; `mail` is NULL when it is known to be served. As mailbox_call.
 * `waited`: it has waited already, and was woken. */
status_t rendezvous_wait(struct port *port, struct mail *mail, struct thread *named, bool waited,
                         nsec_t deadline, struct message *message);

/* mailbox_call without a deadline, of user code, whose frames may be dropped while it waits; the reference to the port
 * is given away. */
status_t rendezvous_call_parked(struct port *port, uint64_t badge, struct message *message);
