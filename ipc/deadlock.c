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
 *                       cleared by whoever answers it or hands over to it, before that is
 *                       published, and by itself when it leaves
 * A caller whose request the holder serves waits for that port until it is answered: the run is its
 * holder's, so the edge from port to holder is the right one for it, too.
 *
 * Sound: a thread seen in both walks with the same `waits` waited for the same port all the time from
 * its look in the first walk to that in the second. All did so at the moment between the walks; who
 * waits neither takes nor gives a baton, so the holders seen were the holders then. So the ring was
 * real, and a ring does not open by itself. One victim at a time: rings is locked from the first walk
 * to the leaving, so a second one finds the ring open.
 * Complete: who closes a ring stores waiting_for, arrives, fences, and walks; the others had arrived
 * before, or walk later themselves.
 */
#include "ipc/deadlock.h"

#include "arch/irq.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"

static struct spinlock rings = SPINLOCK_INIT("rings"); /* port locks inside */

struct step {
    struct thread *thread;
    struct port *port; /* it waits for */
    uint64_t waits;
};

/*
 * The steps from the holder of `port` to ourselves; 0 when the walk does not come back. Interrupts are
 * off: threads and ports that were found stay memory.
 */
static unsigned walk(struct port *port, struct step steps[DEADLOCK_RING])
{
    struct thread *self = thread_current();

    for (unsigned n = 0; n < DEADLOCK_RING; n++) {
        /* acquire: what it waits for is not older than its holding; pairs with nothing but the
         * order of the stores on the holder's core, each a release or before one */
        struct thread *holder = atomic_load_acquire(&port->holder);

        if (holder == self || holder == NULL) {
            return holder == self ? n : 0;
        }
        steps[n].thread = holder;
        /* acquire: `waits` first; pairs with the release in baton_take */
        steps[n].waits = atomic_load_acquire(&holder->waits);
        /* acquire: the next holder is not older than this; pairs with the same */
        port = atomic_load_acquire(&holder->waiting_for);
        if (port == NULL) {
            return 0;
        }
        steps[n].port = port;
    }
    return 0;
}

static bool same_walk(struct port *port, const struct step first[DEADLOCK_RING], unsigned count)
{
    struct step again[DEADLOCK_RING];

    if (walk(port, again) != count) {
        return false;
    }
    for (unsigned n = 0; n < count; n++) {
        if (first[n].thread != again[n].thread || first[n].port != again[n].port ||
            first[n].waits != again[n].waits) {
            return false;
        }
    }
    return true;
}

bool deadlock_leave(struct port *port, bool (*leave)(void *argument), void *argument)
{
    struct step steps[DEADLOCK_RING];
    bool left = false;
    uint64_t state = irq_save();
    unsigned count;

    /* full: our arrival is seen by whoever walks after we looked, or we see theirs; pairs with the
     * same fence of the others */
    fence_seq_cst();
    count = walk(port, steps);
    irq_restore(state);
    if (count == 0) {
        return false;
    }
    state = spin_lock_save(&rings);
    count = walk(port, steps);
    if (count != 0 && same_walk(port, steps, count)) {
        left = leave(argument);
    }
    spin_unlock_restore(&rings, state);
    return left;
}
