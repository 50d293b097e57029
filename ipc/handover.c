/* SPDX-License-Identifier: MIT */
/*
 * What the holder of a baton does when its run is over: give it back, hand it over, serve others.
 *
 * Protocol: baton.c has it all; here are "serve", "answer" and "else" of it, and what is about letters:
 *   letters next:  a courier runs them (courier.h), no caller does: it would sleep with a run that it did not
 *                  ask for. A holder that finds one at the front puts it back, lets go of the baton with the backlog
 *                  bit set, and posts the port on its core. The order of the line stays: a caller behind
 *                  letters waits for the courier, and hurries it.
 *   courier:       CAS: somebody waits, nobody runs: run.
 *                  It serves letters up to its budget, and hands over to the first caller it meets.
 */
#include "arch/irq.h"
#include "ipc/baton_priv.h"
#include "ipc/courier.h"
#include "ipc/lending.h"
#include "ipc/letter.h"
#include "ipc/line.h"
#include "ipc/port_priv.h"
#include "sched/domain.h"

/* The request that is served, if its caller still waits; it does until it is told. */
static struct baton_request *end_serving(const struct baton_work *work)
{
    /* relaxed: a record found here is the one that we stored; of one that is gone nothing is read */
    struct baton_request *request = atomic_swap_relaxed(work->served, (struct baton_request *)NULL);

    if (request == NULL) {
        domain_let_go(work->caller);
    }
    return request;
}

void baton_answer(const struct baton_work *work, status_t status)
{
    struct baton_request *request;
    uint64_t state;

    if (work->is_letter) {
        letter_end(work, status);
        return;
    }
    state = irq_save();
    request = end_serving(work);
    if (request != NULL) {
        if (status == OK) {
            *request->message = work->message;
        }
        request->status = status;
        request_settle(request, REQUEST_ANSWERED);
    }
    irq_restore(state);
}

/* The baton is its caller's. Interrupts are off. */
static void request_take_turn(struct port *port, struct baton_request *request)
{
    /* relaxed: who looks for the holder has the lock, or only wants a hint */
    atomic_store_relaxed(&port->holder, request->thread);
    request_settle(request, REQUEST_TURN);
}

/*
 * A schedule that must not be: the port is closed as its domain dies, and we, who are noted as its holder,
 * are told to leave; then the baton goes to somebody who was not told, and who waits inside for ever.
 * So closed is looked at and the holder changed in one piece.
 */
bool baton_hand_over(struct port *port, const struct baton_work *work)
{
    struct baton_request *request = end_serving(work);
    uint64_t state;
    bool open, lent;

    if (request == NULL) {
        return false;
    }
    state = spin_lock_save(&port->lock);
    /* relaxed: closed is set under this lock */
    open = (atomic_load_relaxed(&port->word) & WORD_CLOSED) == 0;
    lent = open && lending_pass_locked(port, request->thread);
    if (open) {
        request_take_turn(port, request);
    } else {
        request->status = port->close_reason;
        request_settle(request, REQUEST_ANSWERED);
    }
    spin_unlock_restore(&port->lock, state);
    if (lent) {
        lending_settle();
    }
    return open;
}

static void settle_if(bool lent)
{
    if (lent) {
        lending_settle();
    }
}

/* The port's lock is held. */
static void begin_serving_locked(struct port *port, struct baton_request *request,
                                 struct baton_work *work) REQUIRES(port->lock)
{
    /* relaxed: as in request_take_turn. The other one waits for this port's holder until it is answered,
     * and rings of waiting may lead through it: waiting_for stays. */
    atomic_store_relaxed(&port->holder, thread_current());
    lending_serve_locked(port, request->thread);
    request_begin_locked(request, &port->served, work);
}

/* The baton of a closed port goes; whoever waited was refused. */
static void retire_locked(struct port *port, uint64_t irq, bool lent) RELEASES(port->lock)
{
    /* relaxed: the lock orders it; nobody takes the baton of a closed port */
    (void)atomic_and_relaxed(&port->word, ~WORD_RUN);
    lent |= lending_pass_locked(port, NULL);
    spin_unlock_restore(&port->lock, irq);
    settle_if(lent);
    port_retire(port);
}

/* The oldest, taken off, with the lock held; or NULL, and the baton is gone and the lock free. */
static struct queue_record *next_record(struct port *port, uint64_t *irq,
                                        bool *lent) NO_THREAD_SAFETY
{
    *irq = spin_lock_save(&port->lock);
    for (;;) {
        struct queue_record *record;
        /* relaxed: closed is set under this lock */
        bool closed = (atomic_load_relaxed(&port->word) & WORD_CLOSED) != 0;

        /* relaxed: as in baton_try_give; and before a request is taken off, see deadlock.c */
        atomic_store_relaxed(&port->holder, (struct thread *)NULL);
        if (closed) {
            retire_locked(port, *irq, *lent);
            return NULL;
        }
        record = line_pop_locked(&port->word, &port->queue);
        if (record != NULL) {
            return record;
        }
        *lent |= lending_pass_locked(port, NULL);
        if (baton_try_give(port)) {
            spin_unlock_restore(&port->lock, *irq);
            settle_if(*lent);
            return NULL;
        }
    }
}

/*
 * What comes next is a courier's. A schedule that must not be: somebody arrives between the record's
 * way back and the end of our run, and nobody is told; so the backlog is there before run goes, both in
 * the word, and whoever arrives meanwhile relies on us.
 */
static void leave_to_courier(struct port *port, struct queue_record *record, uint64_t irq,
                             bool lent) RELEASES(port->lock)
{
    uint32_t rank;

    queue_push_front(&port->queue, record);
    /* relaxed: ordered by the release below */
    (void)atomic_or_relaxed(&port->word, WORD_BACKLOG);
    rank = lending_rank_of_line_locked(port);
    lent |= lending_pass_locked(port, NULL);
    /* release: a purge may leave an idle word; pairs with the acquire in baton_try_take */
    (void)atomic_and_release(&port->word, ~WORD_RUN);
    spin_unlock(&port->lock); /* interrupts stay off: the port may be retired now */
    if (rank == RANK_IDLE) {
        courier_post(port);
    } else {
        courier_hurry(port, rank);
    }
    irq_restore(irq);
    settle_if(lent);
}

/* The baton goes to who waits longest. */
static void pass_to(struct port *port, struct baton_request *request, uint64_t irq, bool lent)
    RELEASES(port->lock)
{
    lent |= lending_pass_locked(port, request->thread);
    /* Interrupts stay off: its thread is known only until it was published. */
    spin_unlock(&port->lock);
    request_take_turn(port, request);
    irq_restore(irq);
    settle_if(lent);
}

bool baton_next(struct port *port, enum baton_serves serves,
                struct baton_work *work) NO_THREAD_SAFETY
{
    struct thread *self = thread_current();
    bool lent = false;
    uint64_t irq;
    struct queue_record *record = next_record(port, &irq, &lent);

    if (record == NULL) {
        return false;
    }
    if (!record->posted) {
        if (serves != BATON_SERVES_CALLERS || request_of(record)->alone) {
            pass_to(port, request_of(record), irq, lent);
            return false;
        }
        begin_serving_locked(port, request_of(record), work);
        spin_unlock_restore(&port->lock, irq);
        return true;
    }
    if (serves != BATON_SERVES_LETTERS) {
        leave_to_courier(port, record, irq, lent);
        return false;
    }
    if (!record->is_letter) {
        begin_serving_locked(port, request_of(record), work);
        spin_unlock_restore(&port->lock, irq);
        return true;
    }
    /* relaxed: as in request_take_turn */
    atomic_store_relaxed(&port->holder, self);
    spin_unlock(&port->lock); /* interrupts stay off until the letter is freed */
    letter_begin(port, letter_of(record), work);
    irq_restore(irq);
    return true;
}

bool baton_take_for_line(struct port *port)
{
    /* relaxed: the compare-and-swap looks again */
    uint64_t seen = atomic_load_relaxed(&port->word);

    while ((seen & (WORD_RUN | WORD_CLOSED)) == 0 && word_has_waiters(seen)) {
        /* relaxed: what the last holder wrote comes with the lock, if it left letters behind, or with the letters, which
         * are taken off the word with acquire */
        if (atomic_cas_relaxed(&port->word, &seen, seen | WORD_RUN)) {
            return true;
        }
    }
    return false;
}
