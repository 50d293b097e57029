/* SPDX-License-Identifier: MIT */
/*
 * The baton: the right to run an exclusive service, in C.
 *
 * Rules: thread context, nothing locked. Who has it runs the service, alone; when its own run is over
 * it may serve some of those who wait, and then lets go, or hands the baton to the one that waits
 * longest. Who asks for a run is read from the request, never from `current`. The uncontended cases are
 * one compare-and-swap each, the same that ipc/riscv/fastpath.S does. Source: baton.md of the design;
 * flat combining (Hendler and others, SPAA 2010).
 */
#pragma once

#include "ipc/port.h"
#include "kernel/base/atomic.h"

enum request_state {
    REQUEST_WAITS,    /* its caller looks at it */
    REQUEST_SLEEPS,   /* its caller is blocked, or about to */
    REQUEST_TURN,     /* the baton is its caller's */
    REQUEST_ANSWERED, /* over: `status` says how, the reply is in *message */
};

/* A caller that waits. Lies on its stack until its state was published, and no longer. What others
 * look at comes first, in 64 bytes. */
struct baton_request {
    _Alignas(16) struct queue_record record;
    struct thread *thread;
    struct message *message; /* in: what is asked; out: the reply */
    uint64_t badge;
    struct domain *caller;
    struct run_slot *slot;         /* of a concurrent service, with its turn (ipc/concurrent.h) */
    struct baton_request **served; /* where it says that a holder runs it; the port's lock */
    status_t status;
    uint32_t state; /* enum request_state */
    bool alone;     /* nobody else runs it: the reply may need its caller's message page */
    bool nested;    /* its thread runs a service, so it may close a ring of waiting */
};

/* A request that its holder runs for somebody else: a copy, for its caller may go on before the end. The first lines are
 * laid out for ipc/riscv/fastpath.S. */
struct baton_work {
    struct message message; /* in: what is asked; out: the reply */
    uint64_t badge;
    struct domain *caller;
    uint64_t result; /* of a letter: what its sender waits for, or 0 */
    bool is_letter;  /* ipc/letter.h; its caller may be NULL, when nobody asks who it is */
    struct baton_request *
        *served; /* of no letter: where the request is, until its caller goes on */
    uint32_t
        follow; /* of a courier: so many letters may follow this one at once (ipc/letter_fast.c) */
};

/* What a holder is ready to do for those who wait. */
enum baton_serves {
    BATON_SERVES_NOBODY,
    BATON_SERVES_CALLERS,
    BATON_SERVES_LETTERS,
};

/* What baton_take says when somebody else has run the request. */
#define BATON_ANSWERED ((status_t)1)

/* How many requests of others a holder serves. */
#define BATON_SNAPSHOT 16U

/* Take it if it is idle. */
static inline bool baton_try_take(struct port *port)
{
    uint64_t idle = 0;

    /* acquire: what the last holder wrote; pairs with the release in baton_try_give and
     * fastpath.S */
    return atomic_cas_acquire(&port->word, &idle, WORD_RUN);
}

/*
 * Take it, waiting for those who came before. `request` is filled in but for its state, thread and
 * record. OK: it is ours. BATON_ANSWERED: another holder ran the request; look at its status.
 * ERR_STALE or ERR_PEER_DIED (closed before our turn), ERR_DEADLOCK, ERR_TIMED_OUT, ERR_WOULD_BLOCK,
 * ERR_CANCELLED: it was not run and will not be.
 */
WARN_UNUSED status_t baton_take(struct port *port, struct baton_request *request, nsec_t deadline);

/*
 * Have it run by a courier of this core, after those who came before, of an exclusive or a concurrent service, and wait
 * for the end, or go on without it. BATON_ANSWERED, or errors as baton_take; but after ERR_TIMED_OUT, and
 * ERR_CANCELLED, it may have been run, or run still.
 */
WARN_UNUSED status_t baton_post(struct port *port, struct baton_request *request, nsec_t deadline);

/* Let go of the baton if nobody waits and the port is open. */
static inline bool baton_try_give(struct port *port)
{
    uint64_t alone = WORD_RUN;

    /* relaxed: cleared before the release below, so that an idle port shows no holder */
    atomic_store_relaxed(&port->holder, (struct thread *)NULL);
    /* release: our writes are visible to the next holder; pairs with baton_try_take,
     * line_take_or_join and the lr.aq in fastpath.S */
    return atomic_cas_release(&port->word, &alone, 0UL);
}

/*
 * The next request to serve, in *work. False: the baton is gone; it was handed to the one that waits longest,
 * or the port is idle, or it was closed and is retired; or letters come next, which we do not serve, and a
 * courier of this core is told. A caller that comes next and is not served gets the baton.
 */
bool baton_next(struct port *port, enum baton_serves serves, struct baton_work *work);

/* For a courier: take the baton of an exclusive port where somebody waits and nobody runs. Then baton_next. */
bool baton_take_for_line(struct port *port);

/* What baton_next gave has been run: its caller gets its answer, if it still waits. */
void baton_answer(const struct baton_work *work, status_t status);

/* What baton_next gave will not be run by us: its caller gets the baton. False: the port is closed and its
 * caller was refused, or it does not wait any more; and the baton is still ours. */
WARN_UNUSED bool baton_hand_over(struct port *port, const struct baton_work *work);

/* Refuse every waiting caller with `reason`. The port is closed and its lock is held. */
void baton_refuse_all_locked(struct port *port, status_t reason) REQUIRES(port->lock);
