/* SPDX-License-Identifier: MIT */
/*
 * A walk along who holds what each one waits for.
 *
 * Problem: to find a ring, other threads' words are read one at a time while they change; what looks
 * like a ring may never have been one. Choice: walk twice, and believe it only when both walks saw
 * the same. Two words suffice:
 *   port.holder         stored by the taker after its RMW and by the giver before TURN; cleared before
 *                       the releasing RMW and before the next request is taken off the line
 *   thread.waiting_for  stored, after one more is added to thread.waits, before the thread arrives;
 *                       cleared by whoever answers or hands over, before that is published, and by
 *                       itself when it leaves. It stays while a holder serves the request: the
 *                       thread waits for that holder as before.
 *
 * Sound: `waits` is looked at before waiting_for in the first walk and after it in the second. A thread
 * with one number in both, and one port, waited for that port all the time from its look in the first
 * walk to that in the second. (Looked at before in both, the second may see the old number and the
 * next wait.) All did so at the moment between the walks; who waits neither takes nor gives a baton,
 * so the holders seen were the holders then. So the ring was real, and it opens only when somebody's
 * deadline passes. One victim at a time: rings is locked from the first walk to the leaving, so a
 * second one finds the ring open.
 * Complete: who closes a ring stores waiting_for, arrives, fences, and walks; the others had arrived
 * before, or walk later themselves.
 */
#include "ipc/deadlock.h"

#include "arch/irq.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"

struct step {
    struct thread *thread;
    struct port *port; /* it waits for */
    uint64_t waits;
};

/* Its users may be deep in a chain of calls, so what the first walk saw is not on their stacks. */
static struct spinlock rings = SPINLOCK_INIT("rings"); /* guards seen; port locks inside */
static struct step seen[DEADLOCK_RING] GUARDED_BY(rings);

/* What a walk does with each step. */
enum walk_kind { WALK_LOOK, WALK_NOTE, WALK_COMPARE };

/* False: it is not what was noted. */
static bool take_step(enum walk_kind kind, const struct step *step, struct step *noted)
{
    if (kind == WALK_NOTE) {
        *noted = *step;
    }
    return kind != WALK_COMPARE || (step->thread == noted->thread && step->port == noted->port);
}

/*
 * The steps from the holder of `port` to ourselves; 0 when the walk does not come back, or differs from
 * what was noted. Interrupts are off: threads and ports that were found stay memory.
 */
static unsigned walk(struct port *port, enum walk_kind kind, struct step noted[DEADLOCK_RING])
{
    struct thread *self = thread_current();

    for (unsigned n = 0; n < DEADLOCK_RING; n++) {
        struct step step;
        /* acquire: what it waits for is not older than its holding; pairs with nothing but the
         * order of the stores on the holder's core, each a release or before one */
        struct thread *holder = atomic_load_acquire(&port->holder);

        if (holder == self || holder == NULL) {
            return holder == self ? n : 0;
        }
        step.thread = holder;
        /* acquire: `waits` first; pairs with the release in baton_take */
        step.waits = atomic_load_acquire(&holder->waits);
        /* acquire: the next holder is not older than this; pairs with the same */
        step.port = atomic_load_acquire(&holder->waiting_for);
        if (step.port == NULL || !take_step(kind, &step, noted + n)) {
            return 0;
        }
        port = step.port;
    }
    return 0;
}

/* After the second walk: nobody of the ring has begun another wait since the first. */
static bool waits_are_the_same(unsigned count) REQUIRES(rings)
{
    for (unsigned n = 0; n < count; n++) {
        /* relaxed: after all waiting_for, which were loaded with acquire */
        if (seen[n].waits != atomic_load_relaxed(&seen[n].thread->waits)) {
            return false;
        }
    }
    return true;
}

bool deadlock_leave(struct port *port, bool (*leave)(void *argument), void *argument)
{
    bool left = false;
    uint64_t state = irq_save();
    unsigned count;

    /* full: our arrival is seen by whoever walks after we looked, or we see theirs; pairs with the
     * same fence of the others */
    fence_seq_cst();
    count = walk(port, WALK_LOOK, NULL);
    irq_restore(state);
    if (count == 0) {
        return false;
    }
    state = spin_lock_save(&rings);
    count = walk(port, WALK_NOTE, seen);
    if (count != 0 && walk(port, WALK_COMPARE, seen) == count && waits_are_the_same(count)) {
        left = leave(argument);
    }
    spin_unlock_restore(&rings, state);
    return left;
}
