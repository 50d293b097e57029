/* SPDX-License-Identifier: MIT */
/*
 * Kernel stacks: slots of KSTACK_SLOT_BYTES in an area of their own, each with an unmapped
 * guard below its mapped pages (arch/layout.h has the numbers).
 *
 * Rules: after nexus_init and mmu_init. Thread context, no lock held (a new slot flushes all TLBs);
 * one lock, taken before the frame locks; never blocks; O(1). A freed slot stays mapped and is handed out again first, so pages in cached
 * slots do not count as free: kstack_cached_pages tells how many there are. Contents are
 * undefined. The top page of a thread's slot holds its `struct thread`; that is the caller's
 * business. A slot must not be freed while any core still runs on it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "arch/layout.h"
#include "kernel/abi/status.h"
#include "kernel/base/types.h"

#define KSTACK_MAX_SLOTS 16384

/* Bytes that are left on the stack on which the caller runs. */
static inline size_t kstack_room(void)
{
    uintptr_t place = (uintptr_t)__builtin_frame_address(0) & (KSTACK_SLOT_BYTES - 1);

    return place > KSTACK_GUARD_BYTES ? place - KSTACK_GUARD_BYTES : 0;
}

/*
 * *top gets the address one past the last byte of a slot. ERR_NO_MEMORY when out of frames,
 * ERR_NO_SPACE when all slots are in use; *top is then untouched.
 */
WARN_UNUSED status_t kstack_alloc(vaddr_t *top);

/* Gives a slot back by its top. A wrong address panics. */
void kstack_free(vaddr_t top);

/* Slots handed out now, and pages (stack and page tables' share excluded) held by free slots. */
uint64_t kstack_count(void);
uint64_t kstack_cached_pages(void);
