/* SPDX-License-Identifier: MIT */
/*
 * Kernel stack slots. Slots below `mapped_slots` have their pages; a bit in `used` says which
 * of them are handed out. Slots are mapped in rising order and never unmapped, so a stack
 * costs a TLB flush on all cores only the first time.
 */
#include "mm/kstack.h"

#include "arch/layout.h"
#include "arch/mmu.h"
#include "arch/smp.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/sync/spinlock.h"
#include "mm/nexus.h"

#define WORD_BITS 64U

_Static_assert(KSTACK_MAX_SLOTS == KSTACK_SLOTS, "the area's size and the limit agree");
_Static_assert(KSTACK_GUARD_BYTES + KSTACK_MAPPED_PAGES * PAGE_BYTES == KSTACK_SLOT_BYTES,
               "guard and pages make up a slot");

/* Guards everything here. The frame lock may be taken inside. */
static struct spinlock kstack_lock = SPINLOCK_INIT("kstack");
static uint64_t used[KSTACK_MAX_SLOTS / WORD_BITS] GUARDED_BY(kstack_lock);
static unsigned mapped_slots GUARDED_BY(kstack_lock);
static unsigned used_slots GUARDED_BY(kstack_lock);
/* Pages that slot `mapped_slots` already has, after a mapping that ran out of memory. */
static unsigned begun_pages GUARDED_BY(kstack_lock);

static vaddr_t slot_pages(unsigned slot)
{
    return KSTACK_BASE + (vaddr_t)slot * KSTACK_SLOT_BYTES + KSTACK_GUARD_BYTES;
}

/* A mapped slot that is not handed out; mapped_slots when there is none. */
static unsigned find_cached_locked(void) REQUIRES(kstack_lock)
{
    for (unsigned slot = 0; slot < mapped_slots; slot += WORD_BITS) {
        uint64_t unused = ~used[slot / WORD_BITS];

        if (unused != 0) {
            unsigned found = slot + (unsigned)__builtin_ctzl(unused);

            return found < mapped_slots ? found : mapped_slots;
        }
    }
    return mapped_slots;
}

/* Maps the next slot. What was mapped before an error is kept for the next attempt. */
static status_t map_slot_locked(void) REQUIRES(kstack_lock)
{
    vaddr_t pages = slot_pages(mapped_slots);

    if (mapped_slots == KSTACK_MAX_SLOTS) {
        return ERR_NO_SPACE;
    }
    while (begun_pages < KSTACK_MAPPED_PAGES) {
        paddr_t page = nexus_alloc_page();
        status_t status = ERR_NO_MEMORY;

        if (page != FRAME_NONE) {
            status = mmu_map_kernel_page(pages + (vaddr_t)begun_pages * PAGE_BYTES, page,
                                         PROTECT_READ | PROTECT_WRITE);
        }
        if (status != OK) {
            if (page != FRAME_NONE) {
                nexus_free_page(page);
            }
            return status;
        }
        begun_pages++;
    }
    begun_pages = 0;
    mapped_slots++;
    /* A core may remember that nothing was mapped here. */
    tlb_flush_all_cores(pages, KSTACK_MAPPED_PAGES * PAGE_BYTES, TLB_EVERY_SPACE);
    return OK;
}

status_t kstack_alloc(vaddr_t *top)
{
    status_t status = OK;
    uint64_t state = spin_lock_save(&kstack_lock);
    unsigned slot = find_cached_locked();

    if (slot == mapped_slots) {
        status = map_slot_locked();
    }
    if (status == OK) {
        used[slot / WORD_BITS] |= 1UL << (slot % WORD_BITS);
        used_slots++;
        *top = slot_pages(slot) + KSTACK_MAPPED_PAGES * PAGE_BYTES;
    }
    spin_unlock_restore(&kstack_lock, state);
    return status;
}

void kstack_free(vaddr_t top)
{
    uint64_t distance = top - KSTACK_BASE;
    uint64_t slot = distance / KSTACK_SLOT_BYTES - 1;
    uint64_t bit = 1UL << (slot % WORD_BITS);
    uint64_t state = spin_lock_save(&kstack_lock);

    BUG_ON(distance % KSTACK_SLOT_BYTES != 0 || slot >= mapped_slots);
    BUG_ON((used[slot / WORD_BITS] & bit) == 0);
    used[slot / WORD_BITS] &= ~bit;
    used_slots--;
    spin_unlock_restore(&kstack_lock, state);
}

uint64_t kstack_count(void)
{
    uint64_t state = spin_lock_save(&kstack_lock);
    uint64_t count = used_slots;

    spin_unlock_restore(&kstack_lock, state);
    return count;
}

uint64_t kstack_cached_pages(void)
{
    uint64_t state = spin_lock_save(&kstack_lock);
    uint64_t pages = (uint64_t)(mapped_slots - used_slots) * KSTACK_MAPPED_PAGES + begun_pages;

    spin_unlock_restore(&kstack_lock, state);
    return pages;
}
