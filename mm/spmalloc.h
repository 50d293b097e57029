/* SPDX-License-Identifier: MIT */
/*
 * The kernel's object allocator: size classes up to 2048 bytes in slabs of one page, larger
 * objects in whole blocks of pages.
 *
 * Rules: spmalloc_init after frame_init. Any context but an interrupt handler (handlers never
 * allocate); one lock, taken before the frame lock; never blocks. An object of up to 32 bytes
 * is aligned to 32, a larger one to 64 bytes, one of 4096 or more to a page. A slab that becomes
 * empty goes back to mm/frame at once, so free memory returns exactly to its baseline. Freeing
 * twice, or something that spmalloc did not give out, panics in every build.
 * Equation: in a slab, used == number of bits set in used_bits[].
 */
#pragma once

#include "kernel/base/types.h"
#include "mm/account.h"

void spmalloc_init(void);

/*
 * `bytes` > 0 bytes, undefined contents, charged to the account; NULL when there is no memory or
 * quota (or bytes is 0).
 */
WARN_UNUSED void *spmalloc(struct account *account, size_t bytes);

/* The same, filled with zeros. */
WARN_UNUSED void *spmalloc_zeroed(struct account *account, size_t bytes);

/* Frees an object; NULL is allowed and does nothing. */
void spmalloc_free(void *object);

/* Bytes that an allocation of `bytes` really takes. */
size_t spmalloc_usable_bytes(size_t bytes);

/* Objects allocated now, small and large; a snapshot for tests and the monitor. */
uint64_t spmalloc_objects(void);

/* Pages that its slabs and large objects take now; a snapshot. */
uint64_t spmalloc_pages(void);

/*
 * For mm/drain, which holds the core's memory: interrupts off on that core, or it sleeps.
 *   flush    what this core freed for others goes to them
 *   collect  at most `n` of the objects that others freed for it go back into its slabs; answers
 *            whether there are more
 *   trim     slabs without objects go back to the nexus
 */
void spmalloc_flush_core(cpu_t cpu);
bool spmalloc_collect_some(cpu_t cpu, unsigned n);
void spmalloc_trim_core(cpu_t cpu);
