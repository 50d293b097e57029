/* SPDX-License-Identifier: MIT */
/*
 * Letters: messages that their sender does not wait for, in kernel memory until they are delivered.
 *
 * Rules: a letter is in the line of its port (ipc/line.h), among the callers, or in the queue of a mailbox. Until
 * it is delivered its memory is the sender's; it is delivered by copying it to who gets it, and freed by that
 * step, with interrupts off from when it is taken off to when it is freed. A domain that ends takes its
 * letters back (letter_purge), and a grace period later none is left. How many wait at a port is one counter,
 * taken before a letter is made and given back when it is freed: a full port takes no more.
 */
#pragma once

#include "ipc/baton.h"
#include "ipc/port.h"
#include "mm/spmalloc.h"

struct letter {
    _Alignas(16) struct queue_record record;
    struct message message;
    uint64_t badge;
    struct domain *sender; /* whose memory it is; alive as long as the letter is */
    uint64_t result;       /* what its sender waits for (ipc/result.h), or 0 */
};

static inline struct letter *letter_of(struct queue_record *record)
{
    return container_of(record, struct letter, record);
}

/*
 * Put a copy of *message into the line of a service, or into a mailbox, and go on; the service is not run by the
 * caller. At a full port it waits for room until `deadline`. ERR_INVALID (tag), ERR_STALE or ERR_PEER_DIED
 * (closed), ERR_WOULD_BLOCK (DEADLINE_NOW and full), ERR_TIMED_OUT, ERR_CANCELLED, ERR_NO_MEMORY. Thread
 * context, interrupts on, nothing locked.
 */
WARN_UNUSED status_t letter_send(struct port *port, uint64_t badge, const struct message *message,
                                 nsec_t deadline);

/* What a port takes in. */
struct port_limits {
    uint64_t capacity; /* letters that wait there; one more is refused */
    uint64_t
        low; /* PORT_EVENT_HIGH when as many as `high` wait, and PORT_EVENT_LOW when no more than `low` do */
    uint64_t high;     /* afterwards; and at `high` the courier comes at once */
    uint64_t priority; /* of couriers that serve it: real-time, or PRIORITY_SHARING */
};

/* From now on; what waits already stays. ERR_INVALID: not low < high <= capacity <= MAX_PORT_CAPACITY, or no such
 * priority. Any context. */
WARN_UNUSED status_t letter_configure(struct port *port, const struct port_limits *limits);

/* The same for a caller that has made a result, or 0. */
WARN_UNUSED status_t letter_send_for(struct port *port, uint64_t badge,
                                     const struct message *message, nsec_t deadline,
                                     uint64_t result);

/* Free a letter that was delivered, or will not be. Its port has one less. Interrupts off, or the port locked. */
void letter_free(struct port *port, struct letter *letter);

/* The letter has been taken off the line to be run: it becomes *work, and is freed. Interrupts are off. */
void letter_begin(struct port *port, struct letter *letter, struct baton_work *work);

/* What letter_begin gave has been run, or refused. */
void letter_end(const struct baton_work *work, status_t status);

/* It will not be delivered: its sender is told `reason` if it asked for a result. The port is locked. */
void letter_refuse(struct port *port, struct letter *letter, status_t reason);

/* Free all letters of a domain of which no thread runs any more. Thread context. */
void letter_purge(struct domain *domain);
