/* SPDX-License-Identifier: MIT */
/*
 * Concurrent services: up to N runs of one service at once, each in a slot with a stack of its own.
 *
 * Rules: thread context, nothing locked. The word counts who is in (word.h); a thread that was counted
 * claims a slot and notes itself as its holder; slots are taken near the core, so stacks stay in its cache. When all
 * are taken, callers wait in the port's line, in order, as for a baton. Nobody serves others. Source:
 * LRPC's argument stacks (Bershad and others, SOSP 1989), ChCore's shadow threads.
 */
#pragma once

#include "ipc/baton.h"
#include "ipc/port.h"

/* Enter if a slot is free; NULL if none is, or the port is closed. */
struct run_slot *concurrent_try_enter(struct port *port);

/*
 * Enter, waiting for those who came before. `request` is filled in but for its state, thread, record and
 * slot. OK: *request->slot is ours. BATON_ANSWERED: refused; look at its status. ERR_STALE, ERR_PEER_DIED,
 * ERR_DEADLOCK (this thread itself is in every slot), ERR_TIMED_OUT, ERR_WOULD_BLOCK, ERR_CANCELLED.
 */
WARN_UNUSED status_t concurrent_enter(struct port *port, struct baton_request *request,
                                      nsec_t deadline);

/* Only this thread itself could make room. */
bool concurrent_is_in_every_slot(const struct port *port);

/* The slot is for the next run. */
static inline void concurrent_free(struct run_slot *slot)
{
    /* release: our run is over; pairs with the acquire in slot_claim */
    atomic_store_release(&slot->holder, (struct thread *)NULL);
}

/* Free the slot and leave, if nobody waits and the port is open. False: we are in as before, but *slot may
 * be free, and then it is NULL. */
static inline bool concurrent_try_leave(struct port *port, struct run_slot **slot)
{
    /* relaxed: the compare-and-swap looks again */
    uint64_t seen = atomic_load_relaxed(&port->word);

    if ((seen & WORD_CLOSED) != 0 || word_has_waiters(seen)) {
        return false;
    }
    if (*slot != NULL) {
        concurrent_free(*slot);
        *slot = NULL;
    }
    while ((seen & WORD_CLOSED) == 0 && !word_has_waiters(seen)) {
        /* relaxed: as in concurrent_try_enter */
        if (atomic_cas_relaxed(&port->word, &seen, seen - WORD_ONE_RUN)) {
            return true;
        }
    }
    return false;
}

/* Leave a port where somebody waits, or which is closed. The slot may be NULL. */
void concurrent_leave_slowly(struct port *port, struct run_slot *slot);

/* Leave: the slot goes to the one that waits longest, or is free. The last one to leave a closed port
 * retires it. */
static inline void concurrent_leave(struct port *port, struct run_slot *slot)
{
    if (!concurrent_try_leave(port, &slot)) {
        concurrent_leave_slowly(port, slot);
    }
}

/*
 * For a courier that is in, in `slot`: the next letter, in *work, if it `may_serve`. False: we have left; the slot went
 * to a caller that came next, or is free.
 */
bool concurrent_next_letter(struct port *port, struct run_slot *slot, bool may_serve,
                            struct baton_work *work);

/* Does a run of it go on, on another core? A hint. Interrupts are off. */
bool concurrent_runs_elsewhere(const struct port *port);
