/* SPDX-License-Identifier: MIT */
/*
 * Address space identifiers: numbers by which a core's TLB tells spaces apart, a core each.
 *
 * Rules: a number means something on one core only; the same space has another one, or none, on each.
 * What is to be loaded on a core to run in a space is one word, the space's entry for that core:
 * satp with the number in it, or 0 while it has none there. So the cores that may hold translations of
 * a space are those with an entry. An entry is given by its own core, as it enters the space, with
 * interrupts off; it is emptied by its own core, or by one that holds it asleep (mm/shootdown.h).
 * The entry of what is loaded never changes. Nothing here blocks, sends an interrupt, or fails; a
 * core that is out of numbers begins again. Source: RISC-V privileged
 * specification 1.12, 4.1.11 (ASIDs are private to a hart, SFENCE.VMA of numbers before their
 * reuse), 4.2.1; per-CPU numbers as Linux has them for x86's PCIDs.
 */
#pragma once

#include <stddef.h>

#include "arch/mmu.h"
#include "kernel/abi/limits.h"
#include "kernel/base/atomic.h"
#include "kernel/base/types.h"
#include "mm/vspace.h"

/* The kernel's own entries: no core ever empties them. */
extern uint64_t asid_kernel_entries[MAX_CORES];

/* Each core has the numbers 1 .. max; 0: the machine has none, and every mmu_set_satp flushes. Once,
 * before the first space. */
void asid_init(uint16_t max, cpu_t cpus);

/* Tests: from now on no number above `max`, which is not 0. Not for a machine without numbers. */
void asid_limit(uint16_t max);

/* The largest number for use; 0 on a machine without. */
uint16_t asid_maximum(void);

/* How many entries a space has; asid_init fixes it. */
extern cpu_t asid_core_total;

static inline cpu_t asid_core_count(void)
{
    return asid_core_total;
}

/* Bytes of a struct vspace with its entries. */
size_t asid_space_bytes(void);

/* A new space takes part, with no entry; one that nobody runs or names any more leaves. */
void asid_add_space(struct vspace *space);
void asid_remove_space(struct vspace *space);

/* The entries of a space, NULL for the kernel, by cpu. They stay where they are. */
static inline uint64_t *asid_entries(struct vspace *space)
{
    return space != NULL ? space->satp : asid_kernel_entries;
}

/* Gives this core's entry, which is empty, a number. Returns its new value. Interrupts off. */
uint64_t asid_assign(uint64_t *entry);

/* Runs this core in the space whose entry for it this is. Interrupts off. */
static inline void asid_enter(uint64_t *entry)
{
    /* relaxed: emptied by this core, or while it slept; shootdown_wake has the order */
    uint64_t satp = atomic_load_relaxed(entry);

    if (__builtin_expect(satp == 0, 0)) {
        satp = asid_assign(entry);
    }
    mmu_set_satp(satp);
}

/* Empties core `cpu`'s entry: its number is flushed before it is given again. By the core itself, not
 * in the space, interrupts off; or by one that holds it asleep. */
void asid_drop(struct vspace *space, cpu_t cpu);

/* How often core `cpu` has run out of numbers. */
uint64_t asid_roll_overs(cpu_t cpu);
