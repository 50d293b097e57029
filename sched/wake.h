/* SPDX-License-Identifier: MIT */
/*
 * The wake word of a thread: does it wait, and has somebody woken it.
 *
 * Rules: one word a thread, changed by single atomic operations and no lock. wake_prepare and wake_take
 * are its core's, wake_signal is anybody's. Compiled unchanged for the kernel and the model checker
 * (tests/relacy); tests/models/wakeup.pml is this protocol.
 *
 * Protocol
 *   0                  it runs, or is on its way to
 *   TOKEN              a wake-up came meanwhile: its next block returns at once
 *   WAITS              it is blocked
 *   WAITS | TOKEN      it was woken and lies in its core's inbox (inbox.h) or among the woken (runqueue.c)
 *
 *     0 -> WAITS                 wake_prepare, by the thread itself         [release]
 *     TOKEN -> 0                 wake_prepare: the wake-up is used up       [acquire]
 *     any -> the same | TOKEN    wake_signal. Who finds exactly WAITS, one of all wakers, hands the
 *                                thread to its core                         [acq_rel]
 *     WAITS | TOKEN -> 0         wake_take, by the core, before it runs     [acquire]
 *
 *   Why nothing is lost: all are read-modify-writes of one word. A waker that comes before wake_prepare
 *   makes its compare-and-swap fail; one that comes after it finds WAITS. One that comes while the thread
 *   lies woken adds nothing: the thread has yet to run, and wake_take reads that waker's write too, so
 *   the thread sees what the wake-up was about. One that comes later leaves a token.
 *
 *   Why the home is known: only who finds exactly WAITS looks at thread.cpu and the link. The thread
 *   wrote them before its release, and changes nothing until that waker has put it into an inbox.
 */
#pragma once

#include "kernel/base/atomic.h"
#include "kernel/base/types.h"

#define WAKE_TOKEN 1U
#define WAKE_WAITS 2U

/* The calling thread is about to block. False: a wake-up came before and is used up. */
static inline bool wake_prepare(uint32_t *word)
{
    uint32_t running = 0;

    /* release: where it lies and what else a waker reads of it; pairs with wake_signal */
    if (atomic_cas_release(word, &running, WAKE_WAITS)) {
        return true;
    }
    /* acquire: what the wake-ups were about; pairs with the release of each in wake_signal */
    (void)atomic_swap_acquire(word, 0U);
    return false;
}

/* Wake: true when the caller must hand the thread to its core, and nobody else will. */
static inline bool wake_signal(uint32_t *word)
{
    /* acq_rel: what it is about, for the thread (pairs with wake_take and wake_prepare); and where the
     * thread lies, for us (pairs with the release in wake_prepare) */
    return atomic_or_acq_rel(word, WAKE_TOKEN) == WAKE_WAITS;
}

/* The thread leaves the inbox or the woken ones. One that never waited keeps its token. */
static inline void wake_take(uint32_t *word)
{
    /* relaxed: it came with the thread, and WAITS does not change any more */
    if ((atomic_load_relaxed(word) & WAKE_WAITS) != 0) {
        /* acquire: what all the wake-ups so far were about; pairs with the release in wake_signal */
        (void)atomic_swap_acquire(word, 0U);
    }
}
