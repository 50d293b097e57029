/* SPDX-License-Identifier: MIT */
/*
 * On which cores a thread may run.
 *
 * Rules: a value. A new thread may run on all. It is changed by the thread itself, or before it starts
 * (thread_set_affinity), so where it lies now is always allowed. Others read it only while it is off every core.
 */
#pragma once

#include "kernel/abi/limits.h"
#include "kernel/base/types.h"

#define AFFINITY_WORDS (MAX_CORES / 64)

struct affinity {
    uint64_t bits[AFFINITY_WORDS];
};

static inline void affinity_set_all(struct affinity *affinity)
{
    for (unsigned i = 0; i < AFFINITY_WORDS; i++) {
        affinity->bits[i] = ~0UL;
    }
}

static inline void affinity_add(struct affinity *affinity, cpu_t cpu)
{
    affinity->bits[cpu / 64] |= 1UL << cpu % 64;
}

static inline bool affinity_has(const struct affinity *affinity, cpu_t cpu)
{
    return (affinity->bits[cpu / 64] >> cpu % 64 & 1) != 0;
}
