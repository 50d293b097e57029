/* SPDX-License-Identifier: MIT */
/*
 * Shootdown: after a change to a space's tables, no core reaches memory through what they were.
 *
 * Rules: thread context, interrupts on, no lock held (asserted), by one who keeps the space from ending
 * meanwhile, as a thread of its domain does; returns when it is done. Entries
 * were cleared or narrowed before; frames and tables that they led to are freed after. Interrupts
 * are off meanwhile, for as long as the slowest core asked keeps its own off; who waits serves
 * others, so that cores may ask each other. Only cores with an entry for the space (mm/asid.h) are
 * asked, by one interrupt each, none that sleeps in idle, and none twice unless it ran the space
 * again. Never fails, never allocates. A page that was not there before needs none of this: its first
 * use may fault once, and a local flush of that page settles it. RISC-V privileged specification 1.12,
 * 4.2.1.
 */
#pragma once

#include "arch/core.h"
#include "arch/irq.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/types.h"
#include "mm/asid.h"
#include "mm/tlb_record.h"
#include "mm/vspace.h"

/* More ranges or pages in one batch are the whole space. */
#define SHOOTDOWN_RANGES 8U
#define SHOOTDOWN_PAGES 64U

struct shootdown_range {
    vaddr_t start;
    uint64_t bytes;
};

/* Changes of one space, for one round of questions. Lies on its owner's stack. */
struct shootdown {
    struct vspace *space;
    struct shootdown_range range[SHOOTDOWN_RANGES];
    uint32_t count;
    uint32_t pages;
    bool whole;
};

/* An empty batch. */
void shootdown_begin(struct shootdown *batch, struct vspace *space);

/* Leaf entries in [start, start + bytes), page-aligned, were changed. */
void shootdown_add(struct shootdown *batch, vaddr_t start, uint64_t bytes);

/* A table was taken out: a flush of single pages does not reach entries that are no leaves. Or a
 * megapage, which a TLB may hold in pieces. */
void shootdown_add_tables(struct shootdown *batch);

/* Carries it out; nothing for an empty batch. The batch is empty afterwards. */
void shootdown_finish(struct shootdown *batch);

/* One range at once. */
void shootdown(struct vspace *space, vaddr_t start, uint64_t bytes);

/*
 * The cores with an entry, of those in word `word` of the bits. acquire: of one that is missing, what
 * ran there through its entry is over; pairs with the release in asid_drop.
 */
static inline uint64_t shootdown_entered(const struct vspace *space, cpu_t word)
{
    return atomic_load_acquire(&space->entered[word]); /* pairs with asid_drop */
}

/* The same without core `self`. */
static inline uint64_t shootdown_others(const struct vspace *space, cpu_t word, cpu_t self)
{
    uint64_t own = word == self / VSPACE_CORE_BITS ? 1UL << (self % VSPACE_CORE_BITS) : 0;

    return shootdown_entered(space, word) & ~own;
}

/* This takes as long with 128 cores as with one. */
static inline bool shootdown_has_others(const struct vspace *space, cpu_t self)
{
    uint64_t others = 0;

    for (cpu_t word = 0; word < VSPACE_CORE_WORDS; word++) {
        others |= shootdown_others(space, word, self);
    }
    return others != 0;
}

/*
 * The same for who may hold locks, interrupts off: true when only this core has an entry, and what
 * it remembers of the range, with `tables` of the whole space, is flushed; else nothing is done.
 */
WARN_UNUSED static inline bool shootdown_here(struct vspace *space, vaddr_t start, uint64_t bytes,
                                              bool tables)
{
    cpu_t self = core_index();
    uint64_t entry;

    ASSERT(!irq_enabled());
    /* full: as in shootdown_finish; pairs with the fence in asid_assign */
    fence_seq_cst();
    if (shootdown_has_others(space, self)) {
        return false;
    }
    /* relaxed: only this core changes it while it is awake */
    entry = atomic_load_relaxed(&space->satp[self]);
    if (entry == 0) {
        return true;
    }
    if (!tables && bytes == PAGE_BYTES) {
        tlb_record_flush_page(start, mmu_satp_asid(entry));
    } else {
        tlb_record_flush(start, tables ? ~0UL : bytes, mmu_satp_asid(entry));
    }
    return true;
}

/* IPI_SHOOTDOWN on this core. Interrupts off. */
void shootdown_handle(void);

/*
 * This core has the kernel's tables loaded and waits for an interrupt: from shootdown_sleep to
 * shootdown_wake others empty its entries for it. In between it enters no space. shootdown_wake may wait
 * for one that is just at it: a few instructions. Interrupts off.
 */
void shootdown_sleep(void);
void shootdown_wake(void);

/* What core `cpu` did as the one that asks: interrupts sent, and sleepers whose entry it emptied. */
struct shootdown_counts {
    uint64_t asked;
    uint64_t emptied;
};
struct shootdown_counts shootdown_counts(cpu_t cpu);
