/* SPDX-License-Identifier: MIT */
/*
 * The word of a notification: what was signalled and not taken yet, and whether somebody waits.
 *
 * Rules: any context; never blocks, never fails; signalling is one atomic operation and one load. Whom a
 * signal is for is settled behind the notification's lock (notification.c), and only when somebody waits.
 * Compiled unchanged for the kernel, the host's tests (thread sanitizer) and the model checker
 * (tests/relacy); tests/models/notification.pml is this protocol.
 *
 * Protocol
 *   bits      signalled and not taken: raise sets, take clears; both are one atomic operation, so each
 *             signal is taken once, and signals of a bit that is set already are one with it
 *   waiting   not 0 while waiters are on the list: who signals must look there. Written under the lock.
 *
 *   Why no signal is lost: 64 bits fill the word, so `waiting` is beside it. A waiter says that it waits
 *   and then takes; a signaller raises and then looks at `waiting`. Take and raise are read-modify-writes
 *   of one word, so one comes first.
 *       waiter                                signaller
 *       a: waiting = 1                        c: bits |= 4       [acq_rel]
 *       b: bits &= ~mask   [acq_rel]          d: waiting ?
 *   c before b: the waiter finds the bit. b before c: c reads what b, or a later one, wrote, so d finds
 *   what was written before b: somebody waits. No full fence is needed.
 */
#pragma once

#include "kernel/base/atomic.h"
#include "kernel/base/types.h"

struct signal_word {
    uint64_t bits;
    uint32_t waiting;
};

/* Signal. True: look whom it is for. */
static inline bool signal_word_raise(struct signal_word *word, uint64_t bits)
{
    /* acq_rel: what the signal is about, for who takes it; and the waiter that took before, for us;
     * pairs with signal_word_take */
    (void)atomic_or_acq_rel(&word->bits, bits);
    /* relaxed: ordered by the operation before */
    return __builtin_expect(atomic_load_relaxed(&word->waiting) != 0, 0);
}

/* Take what is there of `mask`, after saying that one waits. */
static inline uint64_t signal_word_take(struct signal_word *word, uint64_t mask)
{
    /* acq_rel: what the signals are about; and that we wait, for who signals afterwards; pairs with
     * signal_word_raise */
    return atomic_and_acq_rel(&word->bits, ~mask) & mask;
}

/* The same for who does not wait: what was signalled a moment ago may be missed. */
static inline uint64_t signal_word_poll(struct signal_word *word, uint64_t mask)
{
    /* relaxed: who finds something takes it, which orders */
    if ((atomic_load_relaxed(&word->bits) & mask) == 0) {
        return 0;
    }
    return signal_word_take(word, mask);
}

/* Say whether somebody is on the list; the notification's lock is held. */
static inline void signal_word_announce(struct signal_word *word, bool waiting)
{
    /* relaxed: published by the take that follows; a signaller that finds it too late only looks */
    atomic_store_relaxed(&word->waiting, waiting ? 1U : 0U);
}
