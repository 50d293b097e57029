/* SPDX-License-Identifier: MIT */
/*
 * The baton word of a port: who may run, who waits, in one atomic variable.
 *
 * Rules: every change is one read-modify-write of the whole word, so what a compare-and-swap expects is
 * all of the port's state. Idle is 0. The newest arrival is packed as the address of its record, which
 * is aligned to 16 bytes and lies in the kernel's half: 35 significant bits under Sv39. Source:
 * baton.md of the design; Treiber's stack for the arrivals (IBM RJ 5118, 1986).
 *
 *   bit 0        run: somebody holds the baton
 *   bit 1        closed: nothing is accepted any more
 *   bit 2        an exclusive service: the holder may have been lent a rank for this baton (ipc/lending.h)
 *   bits 2..7    a concurrent service: how many run, and then `run` is never set
 *   bit 8        backlog: callers wait in the line behind the lock (ipc/line.h)
 *   bits 9..28   callers that arrived and were not absorbed yet
 *   bits 29..63  the newest of them, or 0
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WORD_RUN 1UL
#define WORD_CLOSED 2UL
#define WORD_ONE_RUN 4UL
#define WORD_RUNS 0xfcUL
#define WORD_LENT 4UL
#define WORD_BACKLOG 256UL
#define WORD_ONE_ARRIVAL 512UL
#define WORD_RECORD_SHIFT 4 /* zeros at the end of its address */

#if defined(__riscv)
#define WORD_HEAD_SHIFT 29
#define WORD_EXPAND(word) ((int64_t)(word) >> WORD_HEAD_SHIFT << WORD_RECORD_SHIFT)
#else
/* The host's tests: addresses of 47 bits, so fewer callers. */
#define WORD_HEAD_SHIFT 21
#define WORD_EXPAND(word) ((uint64_t)(word) >> WORD_HEAD_SHIFT << WORD_RECORD_SHIFT)
#endif

/* All but the newest arrival; all but the arrivals; all but those who wait. */
#define WORD_LOW ((1UL << WORD_HEAD_SHIFT) - 1)
#define WORD_STATE (WORD_ONE_ARRIVAL - 1)
#define WORD_RUNNING (WORD_BACKLOG - 1)

struct queue_record;

/* The newest arrival, or NULL. */
static inline struct queue_record *word_newest(uint64_t word)
{
    return (struct queue_record *)WORD_EXPAND(word);
}

/* The word with one more caller, whose record is the newest arrival. */
static inline uint64_t word_with_arrival(uint64_t word, const struct queue_record *record)
{
    return (word & WORD_LOW) + (WORD_ONE_ARRIVAL | (uint64_t)(uintptr_t)record
                                                       << (WORD_HEAD_SHIFT - WORD_RECORD_SHIFT));
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

/* Callers that arrived and were not absorbed. */
static inline uint32_t word_arrivals(uint64_t word)
{
    return (uint32_t)((word & WORD_LOW) / WORD_ONE_ARRIVAL);
}

/* Does anybody wait? */
static inline bool word_has_waiters(uint64_t word)
{
    return (word & ~WORD_RUNNING) != 0;
}
