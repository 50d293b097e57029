/* SPDX-License-Identifier: MIT */
/*
 * Taking and giving the baton when somebody else is there.
 *
 * Protocol (baton.md; word.h has the word, line.c the arrivals and the line):
 *   ask, idle:    CAS 0 -> run.                                            [acquire]
 *   ask, busy:    CAS: +1 arrival, the record is the newest.                [release]
 *   wait:         look at the record's state for a while; CAS WAITS -> SLEEPS, then block; look
 *                 again after every wake-up.
 *   let go:       CAS run -> 0, which fails if anything came.              [release]
 *   else:         under the lock take the oldest off: serve it (call.c), or hand over: state TURN.
 *                 run stays set, so nobody slips in between.
 *   publish:      result first, then swap the state [release]; wake if it was SLEEPS. Nothing of the
 *                 record is read after the swap.
 *   serve:        under the lock: copy what is asked, then port.served = the record.
 *   leave:        under the lock: taken off by us; else CAS port.served: the record -> NULL; else it was
 *                 answered or handed over, or is about to be, which is waited for. A turn that is not
 *                 wanted is passed on.
 *   answer:       swap port.served -> NULL; only who finds the record there touches it again. Nobody else
 *                 stores one there meanwhile, so a record found is this request and not its caller's next.
 *   close:        under the lock, closed is set and every record refused. Who holds the baton retires
 *                 the port when it lets go.
 * Schedules to beat: (1) the holder reads "nobody" while a caller arrives: both change the whole word
 * by CAS, the holder's expects exactly `run`. (2) the holder publishes between the caller's look
 * and its sleep: the caller's CAS WAITS -> SLEEPS fails, or the swap finds SLEEPS and wakes, and
 * wake-ups are sticky.
 */
#include "ipc/baton.h"

#include "ipc/baton_priv.h"
#include "ipc/concurrent.h"
#include "ipc/courier.h"
#include "ipc/deadlock.h"
#include "ipc/lending.h"
#include "ipc/letter.h"
#include "ipc/line.h"
#include "ipc/port_priv.h"
#include "kernel/base/assert.h"
#include "sched/domain.h"
#include "sched/sched.h"

/* Looks at the own record before the caller sleeps: about what a sleep and a wake-up cost. */
#define WAIT_LOOKS 1000U
/* After so many it is looked whether the holder still runs. */
#define WAIT_LOOKS_BLIND 32U

/*
 * Publish, then wake. Interrupts are off, so the thread block outlives the wake-up: threads are
 * reclaimed after a grace period. What the caller waits for is cleared first: who looks for rings of waiting
 * callers may then still miss one, never see one that is not there.
 */
void request_settle(struct baton_request *request, enum request_state state)
{
    struct thread *thread = request->thread;

    ASSERT(!irq_enabled());
    /* relaxed: the release below orders it */
    atomic_store_relaxed(&thread->waiting_for, (struct port *)NULL);
    /* release: result before state; pairs with the acquire in request_wait */
    if (atomic_swap_release(&request->state, (uint32_t)state) == REQUEST_SLEEPS) {
        sched_wake_thread(thread);
    }
}

/* Pass a turn on that is not wanted. */
static void baton_pass_on(struct port *port)
{
    if (!baton_try_give(port)) {
        (void)baton_next(port, BATON_SERVES_NOBODY, NULL);
    }
}

/* Is it worth while to look on: a holder runs or is ready, and not here. */
static bool holder_runs_elsewhere(struct port *port)
{
    uint64_t state = irq_save();
    /* relaxed: a hint; the block stays a thread's while interrupts are off */
    struct thread *holder = atomic_load_relaxed(&port->holder);
    bool runs = port->slots != NULL ? concurrent_runs_elsewhere(port)
                : holder != NULL    ? request_thread_runs_elsewhere(holder)
                                    : word_is_busy(atomic_load_relaxed(&port->word));

    irq_restore(state);
    return runs;
}

/* This core has nothing to do while we wait: then it runs the holder, if that is ready on another one. */
static void help_holder(struct port *port)
{
    uint64_t state = irq_save();
    /* relaxed: hints, and sched_pull looks under its lock; the block stays a thread's while interrupts are
     * off */
    struct thread *holder = atomic_load_relaxed(&port->holder);

    if (holder != NULL && atomic_load_relaxed(&holder->state) == THREAD_READY &&
        sched_ready_count(core_index()) == 0) {
        (void)sched_pull(holder);
    }
    irq_restore(state);
}

/* The state, after looking at it for a while if there is reason to. */
static enum request_state request_watch(struct port *port, struct baton_request *request)
{
    for (unsigned looks = request->record.posted ? WAIT_LOOKS : 0; looks < WAIT_LOOKS; looks++) {
        /* acquire: the result, and what the last holder wrote; pairs with request_settle */
        uint32_t state = atomic_load_acquire(&request->state);

        if (state != REQUEST_WAITS) {
            return state;
        }
        if (looks % WAIT_LOOKS_BLIND == 0 && !holder_runs_elsewhere(port)) {
            break;
        }
        arch_relax();
    }
    return REQUEST_WAITS;
}

/* Out of the line if we are still in it. */
static bool request_leave(struct port *port, struct baton_request *request)
{
    uint64_t state = spin_lock_save(&port->lock);
    bool removed = line_remove_locked(&port->word, &port->queue, &request->record);

    if (removed) {
        /* relaxed: under the lock nobody else settles it */
        atomic_store_relaxed(&request->thread->waiting_for, (struct port *)NULL);
    }
    spin_unlock_restore(&port->lock, state);
    return removed;
}

/* Go on although a holder runs our request: nothing of it is touched afterwards. What the run may need of
 * our domain stays until its end. */
static bool request_abandon(struct baton_request *request)
{
    struct baton_request *served = request;

    if (request->served == NULL) {
        return false; /* nobody runs it: it was handed over, or refused */
    }
    domain_keep(request->caller);
    /* relaxed: who looks for rings of waiting may miss one that a deadline opens */
    atomic_store_relaxed(&request->thread->waiting_for, (struct port *)NULL);
    /* relaxed: it was read under the lock, which we have had since */
    if (atomic_cas_relaxed(request->served, &served, (struct baton_request *)NULL)) {
        return true;
    }
    domain_let_go(request->caller);
    return false;
}

/* It was taken off: whoever did so says in a bounded time what becomes of it. */
static enum request_state request_await(struct baton_request *request)
{
    for (;;) {
        /* acquire: as in request_watch; pairs with request_settle */
        uint32_t state = atomic_load_acquire(&request->state);

        if (state >= REQUEST_TURN) {
            return state;
        }
        sched_block();
    }
}

/* We no longer want to wait. What the caller is told, or OK when it was answered before. */
static status_t request_give_up(struct port *port, struct baton_request *request, status_t why)
{
    status_t reason;

    if (request_leave(port, request) || request_abandon(request)) {
        return why;
    }
    if (request_await(request) == REQUEST_ANSWERED) {
        return BATON_ANSWERED;
    }
    /* The port may be closing just because its domain dies: then that is the reason. */
    reason = port_close_reason(port);
    if (port->slots != NULL) {
        concurrent_leave(port, request->slot);
    } else {
        baton_pass_on(port);
    }
    return reason != OK ? reason : why;
}

struct leaving {
    struct port *port;
    struct baton_request *request;
};

static bool leave(void *argument)
{
    const struct leaving *leaving = argument;

    return request_leave(leaving->port, leaving->request);
}

/* A caller that holds a baton may close a ring of waiting. */
static bool would_wait_for_itself(struct port *port, struct baton_request *request)
{
    struct leaving leaving = {port, request};

    return request->nested && deadlock_leave(port, leave, &leaving);
}

status_t request_wait(struct port *port, struct baton_request *request, nsec_t deadline)
{
    uint32_t state = request_watch(port, request);
    uint32_t waits = REQUEST_WAITS;

    /* acquire: when it fails, as in request_watch; pairs with request_settle */
    if (state == REQUEST_WAITS &&
        atomic_cas_acquire(&request->state, &waits, (uint32_t)REQUEST_SLEEPS)) {
        state = REQUEST_SLEEPS;
    } else if (state == REQUEST_WAITS) {
        state = waits;
    }
    if (state < REQUEST_TURN && would_wait_for_itself(port, request)) {
        return ERR_DEADLOCK;
    }
    if (state < REQUEST_TURN) {
        lending_lend(port);
        help_holder(port);
    }
    while (state < REQUEST_TURN) {
        status_t status = sched_block_until(deadline);

        /* acquire: as in request_watch; pairs with request_settle */
        state = atomic_load_acquire(&request->state);
        if (state < REQUEST_TURN && status != OK) {
            return request_give_up(port, request, status);
        }
    }
    return state == REQUEST_ANSWERED ? BATON_ANSWERED : OK;
}

status_t baton_take(struct port *port, struct baton_request *request, nsec_t deadline)
{
    status_t status = ERR_WOULD_BLOCK;

    request->record = (struct queue_record){0};
    request->thread = thread_current();
    /* relaxed: nobody else sees it yet */
    atomic_store_relaxed(&request->state, (uint32_t)REQUEST_WAITS);
    if (deadline == DEADLINE_NOW) {
        if (baton_try_take(port)) {
            status = OK;
        } else if (port_close_reason(port) != OK) {
            status = port_close_reason(port);
        }
    } else {
        /* relaxed: only this thread writes it */
        atomic_store_relaxed(&request->thread->waits, request->thread->waits + 1);
        /* release: `waits` first; pairs with the acquire in walk of deadlock.c */
        atomic_store_release(&request->thread->waiting_for, port);
        switch (line_take_or_join(&port->word, &request->record)) {
        case LINE_BEHIND:
            courier_hurry(port, sched_rank(request->thread));
            return request_wait(port, request, deadline);
        case LINE_JOINED:
            return request_wait(port, request, deadline);
        case LINE_IDLE:
            status = OK;
            break;
        case LINE_CLOSED:
            status = port_close_reason(port);
            break;
        }
        /* relaxed: we did not arrive */
        atomic_store_relaxed(&request->thread->waiting_for, (struct port *)NULL);
    }
    return status;
}

/* Nobody who has the baton leaves without a look at the line; else a courier is to come. */
status_t baton_post(struct port *port, struct baton_request *request, nsec_t deadline)
{
    request->record = (struct queue_record){.posted = true};
    request->thread = thread_current();
    request->served = NULL;
    /* relaxed: nobody else sees it yet; and only this thread writes `waits` */
    atomic_store_relaxed(&request->state, (uint32_t)REQUEST_WAITS);
    atomic_store_relaxed(&request->thread->waits, request->thread->waits + 1);
    /* release: `waits` first; pairs with the acquire in walk of deadlock.c */
    atomic_store_release(&request->thread->waiting_for, port);
    if (line_add_letter(&port->word, &request->record) == LINE_CLOSED) {
        /* relaxed: we did not arrive */
        atomic_store_relaxed(&request->thread->waiting_for, (struct port *)NULL);
        return port_close_reason(port);
    }
    /* relaxed: who runs it after this look has seen us */
    if ((atomic_load_relaxed(&port->word) & WORD_RUN) == 0) {
        courier_hurry(port, sched_rank(request->thread));
    }
    return request_wait(port, request, deadline);
}

void baton_refuse_all_locked(struct port *port, status_t reason)
{
    for (struct queue_record *record = line_pop_locked(&port->word, &port->queue); record != NULL;
         record = line_pop_locked(&port->word, &port->queue)) {
        if (record->is_letter) {
            letter_refuse(port, letter_of(record), reason);
        } else {
            request_of(record)->status = reason;
            request_settle(request_of(record), REQUEST_ANSWERED);
        }
    }
}
