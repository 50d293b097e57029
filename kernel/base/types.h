/* SPDX-License-Identifier: MIT */
/*
 * The scalar types, compiler attributes and small helpers that every file uses.
 *
 * Rules: nothing here has state or allocates; a helper evaluates each argument once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t;   /* a physical address */
typedef uint64_t vaddr_t;   /* a virtual address, kernel or user, held as a number */
typedef uint64_t nsec_t;    /* nanoseconds, since boot when it is a point in time */
typedef uint32_t cpu_t;     /* dense index of a core, 0 .. cores - 1 */
typedef uint64_t hart_id_t; /* the hardware's own number of a core; sparse */

#define WARN_UNUSED __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define PRINTF_LIKE(format_index, first_index)                                                     \
    __attribute__((format(printf, format_index, first_index)))

/* Writers on different cores get lines of their own. */
#define CACHE_LINE_BYTES 64
#define CACHE_ALIGNED __attribute__((aligned(CACHE_LINE_BYTES)))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The structure of `type` whose field `member` is at `pointer`. */
#define container_of(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Rounds to a multiple of `alignment`, a power of two. ALIGN_UP wraps to 0 past the top. */
#define ALIGN_DOWN(value, alignment) ((uint64_t)(value) & ~((uint64_t)(alignment)-1))
#define ALIGN_UP(value, alignment)                                                                 \
    (((uint64_t)(value) + ((uint64_t)(alignment)-1)) & ~((uint64_t)(alignment)-1))
#define IS_ALIGNED(value, alignment) (((uint64_t)(value) & ((uint64_t)(alignment)-1)) == 0)

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}
