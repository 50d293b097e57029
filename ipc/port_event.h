/* SPDX-License-Identifier: MIT */
/*
 * Events of a port that are signalled on a notification.
 *
 * Rules: each event of a port is bound to the bits of one notification, or to none. The port keeps the
 * notification; closing either, binding and unbinding may come in any order and meet events. Who waits
 * for several ports at once binds them to one notification, a bit each.
 */
#pragma once

#include "ipc/notification.h"
#include "ipc/port.h"

/* Signal `bits` of the notification at each `event` of the port from now on, in place of what was bound
 * before; NULL: nothing any more. What is there already is signalled at once. ERR_INVALID: no such event, no
 * bits. ERR_WRONG_TYPE: messages of a port that is no mailbox. ERR_STALE or ERR_PEER_DIED: the port is closed.
 * ERR_NO_MEMORY. The caller has a reference to each. Thread context. */
WARN_UNUSED status_t port_bind(struct port *port, struct notification *notification, uint64_t bits,
                               uint64_t event);

/* The event is bound to something: signal it. */
void port_raise_bound(struct port *port, enum port_event event);

/* The event has happened, and what it is about was published under the port's lock. Any context. */
static inline void port_raise_event(struct port *port, enum port_event event)
{
    /* relaxed: the binding was stored under the port's lock; who bound later finds what happened */
    if (__builtin_expect(atomic_load_relaxed(&port->bindings[event]) != NULL, 0)) {
        port_raise_bound(port, event);
    }
}

/* The port is closed: say so to who waits for messages or marks, and let all notifications go. */
void port_unbind_all(struct port *port);
