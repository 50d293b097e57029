/* SPDX-License-Identifier: MIT */
/*
 * The baton word of a port: who may run, who waits, in one atomic variable.
 *
 * Rules: every change is one read-modify-write of the whole word, so what a compare-and-swap expects is
 * all of the port's state. Idle is 0. The newest arrival is packed as the address of its record, which
 * is aligned to 16 bytes and lies in the kernel's half: 39 significant bits under Sv39. Source:
 * baton.md of the design; Treiber's stack for the arrivals (IBM RJ 5118, 1986).
 *
 *   bit 0        run: somebody holds the baton
 *   bit 1        closed: nothing is accepted any more
 *   bit 2        an exclusive service: the holder may have been lent a rank for this baton (ipc/lending.h)
 *   bits 2..7    a concurrent service: how many run, and then `run` is never set
 *   bits 8..24   callers that arrived and were not taken off yet
 *   bits 25..63  the newest arrival that was not absorbed yet (ipc/line.h), or 0
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WORD_RUN 1UL
#define WORD_CLOSED 2UL
#define WORD_ONE_RUN 4UL
#define WORD_RUNS 0xfcUL
#define WORD_LENT 4UL
#define WORD_ONE_WAITER 256UL

#if defined(__riscv)
#define WORD_HEAD_SHIFT 25
#define WORD_EXPAND(word) ((int64_t)(word) >> WORD_HEAD_SHIFT)
#else
/* The host's tests: addresses of 47 bits, so fewer callers. */
#define WORD_HEAD_SHIFT 17
#define WORD_EXPAND(word) ((uint64_t)(word) >> WORD_HEAD_SHIFT)
#endif

/* All but the newest arrival. */
#define WORD_LOW ((1UL << WORD_HEAD_SHIFT) - 1)

struct queue_record;

/* The newest arrival, or NULL. */
static inline struct queue_record *word_newest(uint64_t word)
{
    return (struct queue_record *)WORD_EXPAND(word);
}

/* The word with one more caller, whose record is the newest arrival. */
static inline uint64_t word_with_arrival(uint64_t word, const struct queue_record *record)
{
    return ((word & WORD_LOW) + WORD_ONE_WAITER) | (uint64_t)(uintptr_t)record << WORD_HEAD_SHIFT;
}

/* Runs of a concurrent service that go on. */
static inline uint32_t word_runs(uint64_t word)
{
    return (uint32_t)((word & WORD_RUNS) / WORD_ONE_RUN);
}

/* Does anybody run the service? */
static inline bool word_is_busy(uint64_t word)
{
    return (word & (WORD_RUN | WORD_RUNS)) != 0;
}

/* Callers that wait. */
static inline uint32_t word_waiters(uint64_t word)
{
    return (uint32_t)((word & WORD_LOW) / WORD_ONE_WAITER);
}
