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

#include "kernel/base/types.h"
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
 * The same for who may hold locks, interrupts off: true when only this core has an entry, and what
 * it remembers of the range, with `tables` of the whole space, is flushed; else nothing is done.
 */
WARN_UNUSED bool shootdown_here(struct vspace *space, vaddr_t start, uint64_t bytes, bool tables);

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
