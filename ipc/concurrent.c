/* SPDX-License-Identifier: MIT */
/*
 * Entering and leaving a concurrent service.
 *
 * Problem: N callers are let in, the next one waits, and nobody waits while a slot is free. Choice: who
 * is in and who waits are numbers of one word, so that both are looked at and changed in one step; which
 * slot it is comes after, since a search among slots needs no order between those who search.
 *
 * Protocol (word.h; line.c has the arrivals):
 *   enter:     CAS: fewer than N are in: +1 run.
 *   claim:     then CAS slot.holder NULL -> self, the core's own slot first.         [acquire]
 *   ask, full: CAS: +1 arrival, the record is the newest.                            [release]
 *   leave:     slot.holder = NULL [release], then CAS -1 run, which fails if anybody came.
 *   else:      under the lock take the oldest off and make it the holder of our slot: state TURN.
 *              The count stays, so nobody slips in between.
 *   close:     under the lock, closed is set and every record refused. The last one to leave retires
 *              the port.
 * Invariant: somebody waits only while N are in: an arrival sees N in the word that it changes, and
 * a leaver subtracts only from a word without waiters. So who comes never overtakes who waits.
 * There is a free slot for everybody who was counted and has none: slots are freed before the count
 * goes down, and claimed after it went up.
 * Schedules to beat: (1) the leaver sees nobody, then a caller joins: the leaver's CAS fails; its slot is
 * free by then and perhaps taken by another who was counted, so it claims one again for the caller.
 * (2) The port is closed as its domain dies, between the counting and the claim: the closer counts
 * holders and looks again until all who are in have noted themselves (port.c). So nobody may be counted
 * twice: the slot of (1) is claimed under the lock, and only while the port is open.
 */
#include "ipc/concurrent.h"

#include "arch/irq.h"
#include "ipc/baton_priv.h"
#include "ipc/courier.h"
#include "ipc/lending.h"
#include "ipc/letter.h"
#include "ipc/line.h"
#include "ipc/port_priv.h"
#include "sched/sched.h"

/* Somebody was counted for whom there is no slot yet: one of them is free, or will be in a moment. */
static struct run_slot *slot_claim(struct port *port, struct thread *thread)
{
    uint32_t at = core_index() % port->slot_count;

    for (;;) {
        struct run_slot *slot = &port->slots[at];
        struct thread *nobody = NULL;

        /* acquire: the last run on this stack is over; pairs with the release in concurrent_free */
        if (atomic_load_relaxed(&slot->holder) == NULL &&
            atomic_cas_acquire(&slot->holder, &nobody, thread)) {
            return slot;
        }
        at = at + 1 == port->slot_count ? 0 : at + 1;
    }
}

struct run_slot *concurrent_try_enter(struct port *port)
{
    /* relaxed: the compare-and-swap looks again */
    uint64_t seen = atomic_load_relaxed(&port->word);

    while ((seen & WORD_CLOSED) == 0 && word_runs(seen) < port->slot_count) {
        /* relaxed: what orders the runs on one stack is its slot */
        if (atomic_cas_relaxed(&port->word, &seen, seen + WORD_ONE_RUN)) {
            return slot_claim(port, thread_current());
        }
    }
    return NULL;
}

/* Enter, or join the line. */
static enum line_outcome enter_or_join(struct port *port, struct baton_request *request)
{
    for (;;) {
        /* relaxed: the compare-and-swap looks again */
        uint64_t seen = atomic_load_relaxed(&port->word);

        if ((seen & WORD_CLOSED) != 0) {
            return LINE_CLOSED;
        }
        if (word_runs(seen) < port->slot_count) {
            request->slot = concurrent_try_enter(port);
            if (request->slot != NULL) {
                return LINE_IDLE;
            }
            continue;
        }
        request->record.next = word_newest(seen);
        /* release: the record is complete; pairs with the acquire in
         * line_take_arrivals_locked of line.c */
        if (atomic_cas_release(&port->word, &seen, word_with_arrival(seen, &request->record))) {
            return LINE_JOINED;
        }
    }
}

bool concurrent_is_in_every_slot(const struct port *port)
{
    for (uint32_t i = 0; i < port->slot_count; i++) {
        /* relaxed: what says that it is ourselves was written by ourselves, or handed to us */
        if (atomic_load_relaxed(&port->slots[i].holder) != thread_current()) {
            return false;
        }
    }
    return true;
}

status_t concurrent_enter(struct port *port, struct baton_request *request, nsec_t deadline)
{
    status_t status;

    if (concurrent_is_in_every_slot(port)) {
        return ERR_DEADLOCK;
    }
    if (deadline == DEADLINE_NOW) {
        request->slot = concurrent_try_enter(port);
        status = request->slot != NULL ? OK : port_close_reason(port);
        return request->slot == NULL && status == OK ? ERR_WOULD_BLOCK : status;
    }
    request->record = (struct queue_record){0};
    request->thread = thread_current();
    /* relaxed, both: nobody else sees it yet; rings of waiting do not lead through this port */
    atomic_store_relaxed(&request->state, (uint32_t)REQUEST_WAITS);
    atomic_store_relaxed(&request->thread->waiting_for, port);
    switch (enter_or_join(port, request)) {
    case LINE_JOINED:
        return request_wait(port, request, deadline);
    case LINE_IDLE:
        status = OK;
        break;
    default:
        status = port_close_reason(port);
        break;
    }
    /* relaxed: we did not arrive */
    atomic_store_relaxed(&request->thread->waiting_for, (struct port *)NULL);
    return status;
}

/* The port is closed, and who waited was refused. */
static void leave_closed(struct port *port, struct run_slot *slot, uint64_t irq)
    RELEASES(port->lock)
{
    uint64_t before;

    if (slot != NULL) {
        concurrent_free(slot);
    }
    /* relaxed: the lock orders it; nobody enters a closed port */
    before = atomic_sub_relaxed(&port->word, WORD_ONE_RUN);
    spin_unlock_restore(&port->lock, irq);
    if (word_runs(before) == 1) {
        port_retire(port);
    }
}

/* The slot goes to the caller who waits longest. */
static void hand_slot_over(struct port *port, struct run_slot *slot, struct baton_request *request,
                           uint64_t irq) RELEASES(port->lock)
{
    if (slot == NULL) {
        slot = slot_claim(port, request->thread);
    }
    request->slot = slot;
    /* relaxed: its caller sees it with the state, close under the lock */
    atomic_store_relaxed(&slot->holder, request->thread);
    request_settle(request, REQUEST_TURN);
    spin_unlock_restore(&port->lock, irq);
}

/* What comes next is a courier's. */
static void leave_to_courier(struct port *port, struct run_slot *slot, struct queue_record *record,
                             uint64_t irq) RELEASES(port->lock)
{
    uint32_t rank;

    queue_push_front(&port->queue, record);
    /* relaxed, both: what orders the runs on one stack is its slot, and the letters the lock */
    (void)atomic_or_relaxed(&port->word, WORD_BACKLOG);
    if (slot != NULL) {
        concurrent_free(slot);
    }
    rank = lending_rank_of_line_locked(port);
    (void)atomic_sub_relaxed(&port->word, WORD_ONE_RUN);
    spin_unlock(&port->lock); /* interrupts stay off: the port may be retired now */
    if (rank == RANK_IDLE) {
        courier_post(port);
    } else {
        courier_hurry(port, rank);
    }
    irq_restore(irq);
}

void concurrent_leave_slowly(struct port *port, struct run_slot *slot)
{
    do {
        uint64_t irq = spin_lock_save(&port->lock);
        struct queue_record *record;

        /* relaxed: closed is set under this lock */
        if ((atomic_load_relaxed(&port->word) & WORD_CLOSED) != 0) {
            leave_closed(port, slot, irq);
            return;
        }
        record = line_pop_locked(&port->word, &port->queue);
        if (record != NULL && record->posted) {
            leave_to_courier(port, slot, record, irq);
            return;
        }
        if (record != NULL) {
            hand_slot_over(port, slot, request_of(record), irq);
            return;
        }
        spin_unlock_restore(&port->lock, irq); /* who waited has left */
    } while (!concurrent_try_leave(port, &slot));
}

bool concurrent_next_letter(struct port *port, struct run_slot *slot, bool may_serve,
                            struct baton_work *work)
{
    uint64_t irq = spin_lock_save(&port->lock);
    /* relaxed: closed is set under this lock */
    bool closed = (atomic_load_relaxed(&port->word) & WORD_CLOSED) != 0;
    struct queue_record *record =
        closed || !may_serve ? NULL : line_pop_locked(&port->word, &port->queue);

    if (record != NULL && record->posted) {
        bool is_letter = record->is_letter;

        if (!is_letter) {
            request_begin_locked(request_of(record), &slot->served, work);
        }
        spin_unlock(&port->lock); /* interrupts stay off until a letter is freed */
        if (is_letter) {
            letter_begin(port, letter_of(record), work);
        }
        /* relaxed: what comes later is posted, unless somebody waits already: then that is seen here */
        if (word_has_waiters(atomic_load_relaxed(&port->word))) {
            courier_post(port); /* for another courier, in another slot */
        }
        irq_restore(irq);
        return true;
    }
    if (record != NULL) {
        hand_slot_over(port, slot, request_of(record), irq);
        courier_post(port); /* others may wait, and slots be free */
        return false;
    }
    spin_unlock_restore(&port->lock, irq);
    concurrent_leave(port, slot);
    return false;
}

bool concurrent_runs_elsewhere(const struct port *port)
{
    for (uint32_t i = 0; i < port->slot_count; i++) {
        /* relaxed: a hint */
        const struct thread *holder = atomic_load_relaxed(&port->slots[i].holder);

        if (holder == NULL || request_thread_runs_elsewhere(holder)) {
            return true;
        }
    }
    return false;
}
