/* SPDX-License-Identifier: MIT */
/*
 * Kernel stack slots. Slots below `mapped_slots` have their pages; those that are not handed out
 * form a list, last in, first out. Slots are mapped in rising order and never unmapped, so a stack
 * costs a TLB flush on all cores only the first time, and that without the lock: until then nobody
 * else can have the slot.
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

/* In next_free[], for a slot that is handed out, and for the last one of the list. */
#define SLOT_USED UINT16_MAX
#define SLOT_NONE (UINT16_MAX - 1U)

_Static_assert(KSTACK_MAX_SLOTS < SLOT_NONE, "a slot's number fits");
_Static_assert(KSTACK_MAX_SLOTS == KSTACK_SLOTS, "the area's size and the limit agree");
_Static_assert(KSTACK_GUARD_BYTES + KSTACK_MAPPED_PAGES * PAGE_BYTES == KSTACK_SLOT_BYTES,
               "guard and pages make up a slot");

/* Guards everything here. mm/frame's locks may be taken inside. */
static struct spinlock kstack_lock = SPINLOCK_INIT("kstack");
static uint16_t next_free[KSTACK_MAX_SLOTS] GUARDED_BY(kstack_lock);
static uint16_t first_free GUARDED_BY(kstack_lock) = SLOT_NONE;
static unsigned mapped_slots GUARDED_BY(kstack_lock);
static unsigned used_slots GUARDED_BY(kstack_lock);
/* Pages that slot `mapped_slots` already has, after a mapping that ran out of memory. */
static unsigned begun_pages GUARDED_BY(kstack_lock);

static vaddr_t slot_pages(unsigned slot)
{
    return KSTACK_BASE + (vaddr_t)slot * KSTACK_SLOT_BYTES + KSTACK_GUARD_BYTES;
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
    return OK;
}

status_t kstack_alloc(vaddr_t *top)
{
    status_t status = OK;
    uint64_t state = spin_lock_save(&kstack_lock);
    unsigned slot = first_free;
    bool is_new = slot == SLOT_NONE;

    if (is_new) {
        slot = mapped_slots;
        status = map_slot_locked();
    } else {
        first_free = next_free[slot];
    }
    if (status == OK) {
        next_free[slot] = SLOT_USED;
        used_slots++;
    }
    spin_unlock_restore(&kstack_lock, state);
    if (status != OK) {
        return status;
    }
    if (is_new) { /* a core may remember that nothing was mapped here */
        tlb_flush_all_cores(slot_pages(slot), KSTACK_MAPPED_PAGES * PAGE_BYTES, TLB_EVERY_SPACE);
    }
    *top = slot_pages(slot) + KSTACK_MAPPED_PAGES * PAGE_BYTES;
    return OK;
}

void kstack_free(vaddr_t top)
{
    uint64_t distance = top - KSTACK_BASE;
    uint64_t slot = distance / KSTACK_SLOT_BYTES - 1;
    uint64_t state = spin_lock_save(&kstack_lock);

    BUG_ON(distance % KSTACK_SLOT_BYTES != 0 || slot >= mapped_slots);
    BUG_ON(next_free[slot] != SLOT_USED);
    next_free[slot] = first_free;
    first_free = (uint16_t)slot;
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
