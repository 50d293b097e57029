/* SPDX-License-Identifier: MIT */
/*
 * Room for letters at a port: how many wait, who waits for room, and the marks.
 *
 * Rules: any context. `port->unserved` is the count, exact at every moment, with two bits beside it, so that
 * taking and giving back room is one read-modify-write each that also says what else is to be done.
 *   ROOM_WANTED  somebody may wait in port->senders. Set under its lock by who found no room, in the step that
 *                finds none; cleared by who woke nobody, who then looks again
 *   ROOM_HIGH    the count has passed the high mark and not come back to the low one
 */
#pragma once

#include "ipc/port.h"
#include "kernel/base/atomic.h"

#define ROOM_WANTED (1U << 31)
#define ROOM_HIGH (1U << 30)
#define ROOM_COUNT (ROOM_HIGH - 1)

/* Take room for one letter: how many there are then, and ROOM_HIGH if that has just passed the mark. 0: there is
 * none; with `wants`, ROOM_WANTED is set then. */
static inline uint32_t room_take(struct port *port, bool wants)
{
    /* relaxed, all: it counts; the line orders the letters, and port->senders those who wait; limits may
     * change at any time; and the compare-and-swap looks again */
    uint32_t seen = atomic_load_relaxed(&port->unserved);

    for (;;) {
        bool full = (seen & ROOM_COUNT) >= atomic_load_relaxed(&port->capacity);
        uint32_t next = full ? seen | ROOM_WANTED : seen + 1;

        if (full && !wants) {
            return 0;
        }
        if (!full && (next & ROOM_COUNT) >= atomic_load_relaxed(&port->high)) {
            next |= ROOM_HIGH;
        }
        if (atomic_cas_relaxed(&port->unserved, &seen, next)) { /* relaxed: as above */
            return full ? 0 : (next & ROOM_COUNT) | ((next & ~seen) & ROOM_HIGH);
        }
    }
}

/* The same, but false where anything else is to be done than to count: at the high mark, or who comes waits. */
static inline bool room_try_take(struct port *port)
{
    /* relaxed, all: as in room_take */
    uint32_t seen = atomic_load_relaxed(&port->unserved);

    do {
        if (__builtin_expect(seen + 1 >= atomic_load_relaxed(&port->high), 0)) {
            return false; /* the bits make the count a large one */
        }
    } while (!atomic_cas_relaxed(&port->unserved, &seen, seen + 1)); /* relaxed: as above */
    return true;
}

/* More than a count is to be looked at after one left. */
void room_left(struct port *port, uint32_t before);

/* One letter less. */
static inline void room_give(struct port *port)
{
    /* relaxed: as in room_take */
    uint32_t before = atomic_sub_relaxed(&port->unserved, 1U);

    if (__builtin_expect((before & (ROOM_WANTED | ROOM_HIGH)) != 0, 0)) {
        room_left(port, before);
    }
}
