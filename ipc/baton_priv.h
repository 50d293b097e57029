/* SPDX-License-Identifier: MIT */
/*
 * What baton.c and concurrent.c share: a caller that waits, and how it is told.
 *
 * Rules: private to ipc/.
 */
#pragma once

#include "arch/core.h"
#include "ipc/baton.h"

static inline struct baton_request *request_of(struct queue_record *record)
{
    return container_of(record, struct baton_request, record);
}

/*
 * A hint. Interrupts are off, so the block stays a thread's. One that is ready counts, too: mostly it was just
 * handed the baton while it slept, and its core is on the way to it. Who then slept at once would have to
 * be woken for the next hand-over, and so on: two callers would sleep in turns for ever.
 */
static inline bool request_thread_runs_elsewhere(const struct thread *thread)
{
    /* relaxed, both: hints */
    enum thread_state now = atomic_load_relaxed(&thread->state);

    return (now == THREAD_RUNNING || now == THREAD_READY) &&
           atomic_load_relaxed(&thread->cpu) != core_index();
}

/* Publish what became of it, then wake its caller. Interrupts are off. */
void request_settle(struct baton_request *request, enum request_state state);

/* Its caller may go on as soon as `served` says so. The port's lock is held. */
static inline void request_begin_locked(struct baton_request *request,
                                        struct baton_request **served, struct baton_work *work)
{
    *work = (struct baton_work){.message = *request->message,
                                .badge = request->badge,
                                .caller = request->caller,
                                .served = served};
    request->served = served;
    /* relaxed: who leaves looks under this lock first */
    atomic_store_relaxed(served, request);
}

/* Wait, having joined the line. OK: it is its turn. Else as baton_take. */
status_t request_wait(struct port *port, struct baton_request *request, nsec_t deadline);
