/* SPDX-License-Identifier: MIT */
/*
 * The kernel's object allocator: for each account and core a heap of its own, slabs of one page
 * for objects of up to 2048 bytes, whole pages above.
 *
 * Rules: spmalloc_init after frame_init. Any context but an interrupt handler, interrupts on or
 * off, any spinlock held; never blocks. An object may be freed on any core; it goes home to the
 * core that made it. Pages are charged to the account, so its quota can make an allocation fail.
 * An object is aligned to 32 bytes, one whose size is a multiple of 64 to 64 bytes, one of more
 * than 2048 to a page; spmalloc_aligned gives more. Freeing twice, freeing what was not given
 * out, and a free object whose first word was written panic in every build and say which; debug
 * builds also find writes behind an object and anywhere in a free one, and name who allocated it.
 * Cost: 23 instructions to allocate, 28 to free, while a slab of the core has a free object.
 */
#pragma once

#include <string.h>

#include "kernel/base/assert.h"
#include "kernel/base/types.h"
#include "mm/account.h"

#define SPMALLOC_CLASSES 20U
#define SPMALLOC_SMALL_MAX 2048U /* half a page: more would waste more than it saves */
#define SPMALLOC_MAX_BYTES ((size_t)PAGE_BYTES << 10)

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Boot, once: heaps for `core_count` cores. The seed makes the free lists' keys. */
void spmalloc_init(unsigned core_count, uint64_t seed);

/* The size class of `bytes`, 1 to SPMALLOC_SMALL_MAX; folds to a constant. See spmalloc_class.c. */
ALWAYS_INLINE unsigned spmalloc_class_of(size_t bytes)
{
    return bytes <= 384    ? (unsigned)((bytes - 1) / 32)
           : bytes <= 640  ? 12 + (unsigned)((bytes - 385) / 64)
           : bytes <= 768  ? 16
           : bytes <= 1024 ? 17
           : bytes <= 1344 ? 18
                           : 19;
}

/* The halves of the calls below; not for others. `slot` is 8 times the class. */
WARN_UNUSED void *spmalloc_small(size_t slot, struct account *account);
WARN_UNUSED void *spmalloc_any(struct account *account, size_t bytes);
void spmalloc_free_object(void *object);
void spmalloc_free_checked(void *object);

/*
 * `bytes` > 0 bytes, undefined contents, charged to the account; NULL when there is no memory or
 * quota (or bytes is 0 or above SPMALLOC_MAX_BYTES).
 */
WARN_UNUSED ALWAYS_INLINE void *spmalloc(struct account *account, size_t bytes)
{
    if (!BATON_DEBUG && __builtin_constant_p(bytes) && bytes - 1 < SPMALLOC_SMALL_MAX) {
        return spmalloc_small(8UL * spmalloc_class_of(bytes), account);
    }
    return spmalloc_any(account, bytes);
}

/* The same, filled with zeros. */
WARN_UNUSED ALWAYS_INLINE void *spmalloc_zeroed(struct account *account, size_t bytes)
{
    void *object = spmalloc(account, bytes);

    return object == NULL ? NULL : memset(object, 0, bytes);
}

/*
 * The same as spmalloc, but takes pages of the reserve when there are no others: for the way out of
 * a shortage only. A quota holds here, too. For objects of up to SPMALLOC_SMALL_MAX bytes.
 */
WARN_UNUSED void *spmalloc_reserve(struct account *account, size_t bytes);

/* The same as spmalloc, at a multiple of `alignment`, a power of two up to SPMALLOC_MAX_BYTES. */
WARN_UNUSED void *spmalloc_aligned(struct account *account, size_t bytes, size_t alignment);

/* Frees an object; NULL is allowed and does nothing. */
ALWAYS_INLINE void spmalloc_free(void *object)
{
    if (object != NULL) {
        if (BATON_DEBUG) {
            spmalloc_free_checked(object);
        } else {
            spmalloc_free_object(object);
        }
    }
}

/* Bytes that an allocation of `bytes` really takes. */
size_t spmalloc_usable_bytes(size_t bytes);

/*
 * Objects allocated now, small and large, those on their way home included; counted in the
 * records of all frames, so slow. A snapshot for tests and the monitor, exact while nothing moves.
 */
uint64_t spmalloc_objects(void);

/* Pages that slabs and large objects take now; a snapshot. */
uint64_t spmalloc_pages(void);

/*
 * For mm/drain, which holds the core's memory: interrupts off on that core, or it sleeps.
 *   flush    what this core freed for others goes to them
 *   collect  what others freed for this core goes back into its slabs; the second form takes at
 *            most `n` objects and answers whether there are more
 *   trim     slabs without objects go back to the nexus, and heaps of ended accounts away
 */
void spmalloc_flush_core(cpu_t cpu);
bool spmalloc_collect_some(cpu_t cpu, unsigned n);
void spmalloc_trim_core(cpu_t cpu);

/* Objects waiting for the core to collect them; advice. */
uint64_t spmalloc_waiting(cpu_t cpu);

/* Tests (mm/fail.h): true sends every allocation through the slow path, where it can fail. */
void spmalloc_force_slow(bool slow);
