/* SPDX-License-Identifier: MIT */
/*
 * What the two halves of the call share: calls in general (call.c), calls by user code (call_user.c).
 *
 * Rules: private to ipc/; those of call.h.
 */
#pragma once

#include "ipc/baton.h"
#include "ipc/concurrent.h"

/* A run did not begin. */
#define CALL_NOT_BEGUN ((status_t)2)
/* There is nothing to take: the port is a mailbox. */
#define CALL_OF_MAILBOX ((status_t)4)

/* The kernel itself sends and gets nothing but words in registers. */
static inline bool message_is_valid(const struct message *message)
{
    return message_is_short(message->tag);
}

/* Let go of the baton when somebody waits, after serving a few of them. */
void call_serve(struct port *port);

/* The end of a run. */
static inline void call_give(struct port *port)
{
    if (!baton_try_give(port)) {
        call_serve(port);
    }
}

/* The note of a run in a slot that is ours. */
static inline void slot_count_run(struct run_slot *slot, bool begun)
{
    /* relaxed: a listing looks at it; who holds the slot writes it */
    atomic_store_relaxed(&slot->calls, slot->calls + begun);
}

/* Run what baton_next gave a courier, or a letter of a concurrent service, and answer it. */
void call_run_letter(struct port *port, struct run_slot *slot, struct baton_work *work);

/* Wait for the baton. OK: it is ours. BATON_ANSWERED: the reply is in *message. */
status_t call_wait(struct port *port, uint64_t badge, struct message *message, nsec_t deadline);

/* A slot of a port that is not exclusive; CALL_OF_MAILBOX. */
status_t call_take_slot(struct port *port, uint64_t badge, nsec_t deadline, struct run_slot **slot);

/*
 * Interrupts are off from the look at the pending work to user mode, as on every way out: a request that
 * comes later interrupts the service at once. False: this thread is to end, to unwind, or the port was
 * closed.
 */
bool call_may_enter(struct port *port);

/* Why a run must not start: the service is gone, or this thread is to end or unwind. */
status_t call_refusal(struct port *port);

/* call_settle_unwind, for the common case that there is nothing to take off. */
void call_settle_unwind_if_raised(void);
