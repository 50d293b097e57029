/* SPDX-License-Identifier: MIT */
/*
 * The ports of one core where letters wait: a set of port indices.
 *
 * Rules: a core's own; only that core touches it, with interrupts off, so nothing here is atomic. Setting,
 * clearing and finding take a constant number of steps: three levels of bits, each of which says what of the
 * level below is not 0. Source: the same idea as sched/realtime.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PENDING_PORTS 16384U
#define PENDING_NONE UINT32_MAX
#define PENDING_WORDS (PENDING_PORTS / 64)

struct pending {
    uint64_t top;                        /* bit n: middle[n] is not 0 */
    uint64_t middle[PENDING_WORDS / 64]; /* bit n of word m: bottom[64 * m + n] is not 0 */
    uint64_t bottom[PENDING_WORDS];      /* a bit a port */
};

_Static_assert(PENDING_WORDS / 64 <= 64, "the top is one word");

static inline bool pending_is_empty(const struct pending *pending)
{
    return pending->top == 0;
}

static inline bool pending_has(const struct pending *pending, uint32_t index)
{
    return (pending->bottom[index / 64] >> index % 64 & 1) != 0;
}

static inline void pending_set(struct pending *pending, uint32_t index)
{
    uint32_t word = index / 64;

    pending->bottom[word] |= 1UL << index % 64;
    pending->middle[word / 64] |= 1UL << word % 64;
    pending->top |= 1UL << word / 64;
}

static inline void pending_clear(struct pending *pending, uint32_t index)
{
    uint32_t word = index / 64;

    pending->bottom[word] &= ~(1UL << index % 64);
    if (pending->bottom[word] == 0) {
        pending->middle[word / 64] &= ~(1UL << word % 64);
        if (pending->middle[word / 64] == 0) {
            pending->top &= ~(1UL << word / 64);
        }
    }
}

/* The bits of `word` from number `from` on; from may be 64. */
static inline uint64_t pending_from(uint64_t word, uint32_t from)
{
    return from > 63 ? 0 : word & ~0UL << from;
}

/* The first at or behind `from`, without going round. */
static inline uint32_t pending_find(const struct pending *pending, uint32_t from)
{
    uint32_t word = from / 64;
    uint64_t bits = pending_from(pending->bottom[word], from % 64);

    if (bits == 0) {
        uint32_t group = word / 64;

        bits = pending_from(pending->middle[group], word % 64 + 1);
        if (bits == 0) {
            bits = pending_from(pending->top, group + 1);
            if (bits == 0) {
                return PENDING_NONE;
            }
            group = (uint32_t)__builtin_ctzl(bits);
            bits = pending->middle[group];
        }
        word = 64 * group + (uint32_t)__builtin_ctzl(bits);
        bits = pending->bottom[word];
    }
    return 64 * word + (uint32_t)__builtin_ctzl(bits);
}

/* The first at or behind `from`, or else the first of all, or PENDING_NONE. So who asks for what comes after the
 * last one that he got finds all in turn. */
static inline uint32_t pending_next(const struct pending *pending, uint32_t from)
{
    uint32_t found = from < PENDING_PORTS ? pending_find(pending, from) : PENDING_NONE;

    return found == PENDING_NONE && pending->top != 0 ? pending_find(pending, 0) : found;
}
