/* SPDX-License-Identifier: MIT */
/*
 * Lending and giving back.
 *
 * Protocol: WORD_LENT in the word of a port says that its holder may have been lent something for it.
 *   lend:    under the port's lock, CAS: the bit is set if somebody runs.      [acquire]
 *            Then the holder that is noted gets the rank; and so on with the port that the holder waits for.
 *   give:    an idle word has no such bit, so every way to let go of the baton that expects exactly `run`
 *            fails and comes to baton_next, under the lock. There the bit goes, with the baton; the next
 *            holder is lent what those who still wait have, and the bit is set again if that is something.
 *   settle:  the giver looks at the ports that it still holds, at most MAX_CALL_DEPTH, and keeps the
 *            highest rank of those who wait there.
 *
 *   The holder gives while somebody lends: the lock has an order. Give first: the lender finds the next holder, or
 *   nobody runs, and then its own record was taken off and its turn has come. Lend first: the give finds
 *   the bit, and settles.
 *   The giver settles while somebody lends for another port that it holds: each loan adds one to
 *   thread.loans, and what was computed from before is not taken (sched_settle_lent_rank).
 *   A holder that serves others is lent what they and the line have before each run: a lender that came after
 *   it had cleared port.holder, to let go, did not find it.
 *   Who runs is known late: a taker stores port.holder after its compare-and-swap. The lender looks for it again for a
 *   moment, and then lets it be.
 *   Clang's lock analysis: nothing here holds two ports.
 */
#include "ipc/lending.h"

#include "arch/irq.h"
#include "ipc/baton.h"
#include "ipc/deadlock.h"
#include "ipc/line.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"

/* For the taker's store, which comes right after its compare-and-swap. */
#define HOLDER_LOOKS 100U

/* Sets the bit; false if nobody runs. */
static bool mark_locked(struct port *port) REQUIRES(port->lock)
{
    /* relaxed: the compare-and-swap looks again */
    uint64_t seen = atomic_load_relaxed(&port->word);

    while ((seen & WORD_RUN) != 0) {
        /* acquire: a holder that is noted is not one that gave before; pairs with the release in
         * baton_try_give */
        if (atomic_cas_acquire(&port->word, &seen, seen | WORD_LENT)) {
            return true;
        }
    }
    return false;
}

/* The holder, if it becomes known soon. */
static struct thread *holder_of(struct port *port)
{
    struct thread *holder = NULL;

    for (unsigned looks = 0; looks < HOLDER_LOOKS && holder == NULL; looks++) {
        /* relaxed: after mark_locked it stays the holder while the lock is held */
        holder = atomic_load_relaxed(&port->holder);
    }
    return holder;
}

/* Lends `rank` to the holder; the port that it waits for in its turn, or NULL. Interrupts are off. */
static struct port *lend_one(struct port *port, uint32_t rank)
{
    struct thread *holder = NULL;

    spin_lock(&port->lock);
    if (mark_locked(port)) {
        holder = holder_of(port);
    }
    if (holder != NULL) {
        sched_lend_rank(holder, rank);
    }
    spin_unlock(&port->lock);
    /* full: the rank is raised before the look; pairs with the fence in lending_lend */
    fence_seq_cst();
    /* relaxed: one that begins to wait later finds its new rank and lends it itself */
    return holder == NULL ? NULL : atomic_load_relaxed(&holder->waiting_for);
}

void lending_lend(struct port *port)
{
    uint64_t state = irq_save();
    uint32_t rank;

    /* full: we are noted as waiting before the look at our rank; pairs with the fence in lend_one */
    fence_seq_cst();
    rank = sched_rank(thread_current());
    for (unsigned n = 0; rank > RANK_SHARING && port != NULL && n < DEADLOCK_RING; n++) {
        port = lend_one(port, rank);
    }
    irq_restore(state);
}

/* The highest rank of those in the line. */
uint32_t lending_rank_of_line_locked(struct port *port)
{
    uint32_t rank = RANK_IDLE;

    for (struct queue_record *record = line_first_locked(&port->word, &port->queue); record != NULL;
         record = record->next) {
        if (!record->is_letter) {
            uint32_t its = sched_rank(container_of(record, struct baton_request, record)->thread);

            rank = its > rank ? its : rank;
        }
    }
    return rank;
}

bool lending_pass_locked(struct port *port, struct thread *next)
{
    uint32_t rank;

    /* relaxed, both: the bit is changed under this lock */
    if ((atomic_load_relaxed(&port->word) & WORD_LENT) == 0) {
        return false;
    }
    (void)atomic_and_relaxed(&port->word, ~WORD_LENT);
    rank = next == NULL ? RANK_IDLE : lending_rank_of_line_locked(port);
    if (rank > RANK_SHARING) {
        (void)atomic_or_relaxed(&port->word, WORD_LENT); /* relaxed: as above */
        sched_lend_rank(next, rank);
    }
    return true;
}

void lending_serve_locked(struct port *port, struct thread *asker)
{
    uint32_t rank = sched_rank(asker);
    uint32_t line;

    /* relaxed: the bit is changed under this lock */
    if ((atomic_load_relaxed(&port->word) & WORD_LENT) == 0) {
        return;
    }
    line = lending_rank_of_line_locked(port);
    rank = line > rank ? line : rank;
    if (rank > RANK_SHARING) {
        sched_lend_rank(thread_current(), rank);
    }
}

/* Is anything lent for it? Concurrent services are not lent to, and have other bits there. */
static bool is_lent_locked(struct port *port) REQUIRES(port->lock)
{
    /* relaxed: the bit is changed under this lock */
    return port->slots == NULL && (atomic_load_relaxed(&port->word) & WORD_LENT) != 0;
}

void lending_move_locked(struct port *port, struct thread *holder)
{
    uint32_t rank = is_lent_locked(port) ? lending_rank_of_line_locked(port) : RANK_IDLE;

    if (rank > RANK_SHARING) {
        sched_lend_rank(holder, rank);
    }
}

/* What is lent for the batons that the caller holds. */
static uint32_t rank_lent_to_us(void)
{
    uint32_t rank = RANK_IDLE;

    for (struct activation *activation = activation_current(); activation->port != NULL;
         activation = activation->previous) {
        struct port *port = activation->port;
        uint64_t state = spin_lock_save(&port->lock);
        uint32_t its = is_lent_locked(port) ? lending_rank_of_line_locked(port) : RANK_IDLE;

        spin_unlock_restore(&port->lock, state);
        rank = its > rank ? its : rank;
    }
    return rank;
}

void lending_settle(void)
{
    uint32_t loans;

    do {
        loans = sched_loans(thread_current());
    } while (!sched_settle_lent_rank(thread_current(), rank_lent_to_us(), loans));
}
