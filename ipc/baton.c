/* SPDX-License-Identifier: MIT */
/*
 * Taking and giving the baton when somebody else is there.
 *
 * Protocol (baton.md, with the queue under the port's lock and without combining):
 *   word = run | closed | 256 * waiting callers. Idle is 0.
 *   take, idle:   CAS 0 -> run.                              [acquire]
 *   take, busy:   under the lock, CAS +1 waiter while run is set, then link the record.
 *   give, alone:  CAS run -> 0.                              [release]
 *   give, queued: under the lock, take the oldest record off, -1 waiter, state TURN, wake. run
 *                 stays set: nobody can slip in between.
 *   cancel:       under the lock, unlink and -1; if it is not linked, the turn or the refusal has
 *                 come and is looked at first. A turn that is not wanted is given on.
 *   close:        under the lock, set closed, refuse every record. Who holds the baton retires
 *                 the port when it gives the baton back.
 * Two-core schedule to beat: the giver reads "no waiters" while a caller adds one. Forbidden
 * because both change the whole word by CAS: the giver's CAS expects exactly `run`.
 * A record lives on its caller's stack; nothing of it is read after its state was published.
 */
#include "ipc/baton.h"

#include "ipc/port_priv.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"

enum waiter_state {
    WAITER_WAITING,
    WAITER_TURN,    /* the baton is ours */
    WAITER_REFUSED, /* the port was closed; status says why */
};

struct waiter {
    struct queue_record record;
    struct thread *thread;
    status_t status;
    uint32_t state; /* enum waiter_state; published by giver or closer, read by the waiter */
};

static struct waiter *waiter_of(struct queue_record *record)
{
    return container_of(record, struct waiter, record);
}

/* Publish, then wake. Interrupts are off (the lock is held), so the thread block outlives the
 * wake-up: threads are reclaimed after a grace period. */
static void waiter_settle(struct waiter *waiter, enum waiter_state state)
{
    struct thread *thread = waiter->thread;

    /* release: status before state; pairs with the acquire in waiter_wait */
    atomic_store_release(&waiter->state, (uint32_t)state);
    sched_wake_thread(thread);
}

/* Take the idle baton (OK), or count ourselves in and link the record (ERR_WOULD_BLOCK), or be
 * refused. */
static status_t baton_take_or_queue(struct port *port, struct waiter *waiter)
{
    status_t status;
    uint64_t state = spin_lock_save(&port->lock);
    /* relaxed: the CAS below checks and orders */
    uint64_t word = atomic_load_relaxed(&port->word);

    for (;;) {
        if ((word & PORT_CLOSED) != 0) {
            status = port->close_reason;
            break;
        }
        if (word == 0) {
            /* acquire: what the last holder wrote; pairs with the release in baton_give and
             * in fastpath.S */
            if (atomic_cas_acquire(&port->word, &word, PORT_RUN)) {
                status = OK;
                break;
            }
        } else if (atomic_cas_relaxed(&port->word, &word, word + PORT_ONE_WAITER)) {
            /* relaxed: the record is published by the lock */
            queue_push(&port->queue, &waiter->record);
            status = ERR_WOULD_BLOCK;
            break;
        }
    }
    spin_unlock_restore(&port->lock, state);
    return status;
}

/* Out of the line if we are still in it. */
static bool waiter_cancel(struct port *port, struct waiter *waiter)
{
    uint64_t state = spin_lock_save(&port->lock);
    bool removed = queue_remove(&port->queue, &waiter->record);

    if (removed) {
        /* relaxed: the count is only ever compared as part of the word */
        atomic_sub_relaxed(&port->word, PORT_ONE_WAITER);
    }
    spin_unlock_restore(&port->lock, state);
    return removed;
}

static status_t waiter_wait(struct port *port, struct waiter *waiter, nsec_t deadline)
{
    for (;;) {
        /* acquire: status, and what the last holder wrote; pairs with waiter_settle */
        uint32_t state = atomic_load_acquire(&waiter->state);
        if (state == WAITER_TURN) {
            return OK;
        }
        if (state == WAITER_REFUSED) {
            return waiter->status;
        }
        status_t status = sched_block_until(deadline);
        if (status == OK) {
            continue;
        }
        if (waiter_cancel(port, waiter)) {
            return status;
        }
        /* Settled meanwhile: the state is there, because it was written under the lock. */
        /* acquire: as above; pairs with waiter_settle */
        if (atomic_load_acquire(&waiter->state) == WAITER_REFUSED) {
            return waiter->status;
        }
        /* The port may be closing just because its domain dies: then that is the reason. */
        status_t reason = port_close_reason(port);

        baton_give(port);
        return reason != OK ? reason : status;
    }
}

status_t baton_take(struct port *port, nsec_t deadline)
{
    struct waiter waiter = {.thread = thread_current(), .state = WAITER_WAITING};
    uint64_t idle = 0;
    status_t status = OK;

    /* acquire: what the last holder wrote; pairs with the release in baton_give */
    if (!atomic_cas_acquire(&port->word, &idle, PORT_RUN)) {
        status = baton_take_or_queue(port, &waiter);
        if (status == ERR_WOULD_BLOCK) {
            waiter.thread->waiting_for = port;
            status = waiter_wait(port, &waiter, deadline);
            waiter.thread->waiting_for = NULL;
        }
    }
    if (status == OK) {
        atomic_store_relaxed(&port->holder, waiter.thread); /* a hint; close spins on it */
    }
    return status;
}

static void baton_give_slow(struct port *port)
{
    bool retire = false;
    uint64_t state = spin_lock_save(&port->lock);
    struct queue_record *record = queue_pop(&port->queue);

    if (record != NULL) {
        struct waiter *waiter = waiter_of(record);

        /* relaxed: run stays set, so nobody else acts on the word; the order to the new holder
         * is waiter_settle's */
        atomic_sub_relaxed(&port->word, PORT_ONE_WAITER);
        atomic_store_relaxed(&port->holder, waiter->thread);
        waiter_settle(waiter, WAITER_TURN);
    } else {
        /* release: our writes are visible to the next holder; pairs with baton_take and the
         * lr.aq in fastpath.S */
        uint64_t before = atomic_and_release(&port->word, ~PORT_RUN);
        retire = (before & PORT_CLOSED) != 0;
    }
    spin_unlock_restore(&port->lock, state);
    if (retire) {
        port_retire(port);
    }
}

void baton_give(struct port *port)
{
    uint64_t alone = PORT_RUN;

    /* relaxed: cleared before the release below, so that an idle port shows no holder */
    atomic_store_relaxed(&port->holder, (struct thread *)NULL);
    /* release: our writes are visible to the next holder; pairs with baton_take and the lr.aq
     * in fastpath.S */
    if (!atomic_cas_release(&port->word, &alone, 0)) {
        baton_give_slow(port);
    }
}

void baton_refuse_all_locked(struct port *port, status_t reason)
{
    for (struct queue_record *record = queue_pop(&port->queue); record != NULL;
         record = queue_pop(&port->queue)) {
        struct waiter *waiter = waiter_of(record);

        /* relaxed: closed is set; only the holder's bit still matters */
        atomic_sub_relaxed(&port->word, PORT_ONE_WAITER);
        waiter->status = reason;
        waiter_settle(waiter, WAITER_REFUSED);
    }
}
