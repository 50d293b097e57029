/* SPDX-License-Identifier: MIT */
/*
 * Waiting for several ports and signallers at once.
 *
 * Rules: up to WAIT_ANY_SOURCES sources, a bit each of one notification; one thread waits. Urgent sources
 * come first, also before others that were signalled earlier; the rest come in turns.
 *
 *     wait_any_init(&any);
 *     wait_any_add_port(&any, requests, false, &normal);
 *     wait_any_add_port(&any, alarms, true, &urgent);
 *     while (wait_any_next(&any, DEADLINE_NONE, &source) == OK) {
 *         handle_t port = source == urgent ? alarms : requests;
 *
 *         if (port_receive(port, &message, &badge, DEADLINE_NOW) == OK) {
 *             serve(&message);
 *             wait_any_more(&any, source);
 *         }
 *     }
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/abi/rights.h"
#include "kernel/abi/status.h"
#include "kernel/abi/syscall.h"

#define WAIT_ANY_SOURCES 64

/* Made by wait_any_init; `notification` may be given to others, the rest is its own. */
struct wait_any {
    handle_t notification;
    uint64_t used;    /* sources */
    uint64_t urgent;  /* those that come first */
    uint64_t pending; /* signalled, and not returned since */
    unsigned turn;    /* where the next look at the others begins */
};

/* Makes the notification. ERR_NO_SPACE, ERR_NO_MEMORY. */
status_t wait_any_init(struct wait_any *any);

/* Ends it; the ports stay. */
void wait_any_end(struct wait_any *any);

/* Adds a source that others signal: bit `*source` of the notification, for whom a handle with RIGHT_SEND is
 * made. ERR_NO_SPACE: there are WAIT_ANY_SOURCES. */
status_t wait_any_add(struct wait_any *any, bool urgent, unsigned *source);

/* Adds a mailbox: the source comes when it has messages, or was closed. ERR_NO_SPACE as above; or
 * what port_bind says. */
status_t wait_any_add_port(struct wait_any *any, handle_t port, bool urgent, unsigned *source);

/* Takes a source out; one that is a port is unbound by the caller (port_bind), or closed. */
void wait_any_remove(struct wait_any *any, unsigned source);

/* The next source that has something, waiting for one until `deadline`. Errors of notification_wait. */
status_t wait_any_next(struct wait_any *any, uint64_t deadline, unsigned *source);

/* There may be more at a source than what was taken: it comes again. */
static inline void wait_any_more(struct wait_any *any, unsigned source)
{
    any->pending |= 1UL << source;
}
