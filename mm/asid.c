/* SPDX-License-Identifier: MIT */
/*
 * Numbers, a core each.
 *
 * Problem: a number that is one space's on the whole machine is used up by spaces that most cores
 * never run, and its reuse has to be agreed upon by all cores at once. Choice: each core numbers
 * the spaces that it enters, in the order in which they come, and has no use for what others do. A
 * number is used for one space between two roll-overs of its core, and flushed when it is given; so
 * nothing is flushed when a space ends, an entry is emptied, or the numbers run out: what the TLB
 * has under a number that no entry names nobody can reach.
 *
 * A roll-over walks the list of all spaces under its lock, with interrupts off, once in as many
 * first entries as there are numbers (65,535 with 16 bits): a few instructions for each entry.
 */
#include "mm/asid.h"

#include "arch/core.h"
#include "arch/irq.h"
#include "kernel/base/assert.h"
#include "kernel/base/list.h"
#include "kernel/sync/spinlock.h"
#include "mm/tlb_record.h"

/* Of one core; written by it alone. */
struct asid_core {
    uint64_t roll_overs;
    uint16_t last; /* number given last */
} CACHE_ALIGNED;

uint64_t asid_kernel_entries[MAX_CORES];
cpu_t asid_core_total;

static struct asid_core asid_cores[MAX_CORES];
static uint16_t maximum;

/* Guards the list and that what is on it is not freed; a leaf: a run queue's may be held. */
static struct spinlock spaces_lock = SPINLOCK_INIT("asid");
static struct list spaces GUARDED_BY(spaces_lock) = LIST_INIT(spaces);

void asid_init(uint16_t max, cpu_t cpus)
{
    maximum = tlb_record_limit(max);
    asid_core_total = cpus;
    list_init(&spaces);
    for (cpu_t cpu = 0; cpu < cpus; cpu++) {
        asid_cores[cpu] = (struct asid_core){0};
        asid_kernel_entries[cpu] = mmu_kernel_satp();
    }
}

void asid_limit(uint16_t max)
{
    BUG_ON(max == 0 || maximum == 0);
    /* relaxed: a core that sees it late gives a few numbers more, none of them twice */
    atomic_store_relaxed(&maximum, tlb_record_limit(max));
}

uint16_t asid_maximum(void)
{
    /* relaxed: as above */
    return atomic_load_relaxed(&maximum);
}

size_t asid_space_bytes(void)
{
    return offsetof(struct vspace, satp) + asid_core_total * sizeof(uint64_t);
}

void asid_add_space(struct vspace *space)
{
    uint64_t state = spin_lock_save(&spaces_lock);

    list_push_back(&spaces, &space->asid_link);
    spin_unlock_restore(&spaces_lock, state);
}

void asid_remove_space(struct vspace *space)
{
    uint64_t state = spin_lock_save(&spaces_lock);

    list_remove(&space->asid_link);
    spin_unlock_restore(&spaces_lock, state);
}

void asid_drop(struct vspace *space, cpu_t cpu)
{
    uint64_t bit = 1UL << (cpu % VSPACE_CORE_BITS);

    /* relaxed: read by that core alone, which runs this or is held asleep */
    atomic_store_relaxed(&space->satp[cpu], 0UL);
    /* release: what this core's users did through its translations is done before anyone finds the
     * bit gone and does without an answer; pairs with the acquire in shootdown_entered */
    atomic_and_release(&space->entered[cpu / VSPACE_CORE_BITS], ~bit);
    tlb_record_note_drop(space, cpu);
}

/*
 * All numbers of this core are free again. The kernel's tables are loaded first: in what is loaded
 * the hardware may walk in advance, at any moment, under a number that has gone to another space.
 */
static void roll_over(struct asid_core *core, cpu_t cpu)
{
    mmu_set_satp(asid_kernel_entries[cpu]);
    spin_lock(&spaces_lock);
    list_for_each_entry(struct vspace, space, &spaces, asid_link)
    {
        /* relaxed: this core's own */
        if (atomic_load_relaxed(&space->satp[cpu]) != 0) {
            asid_drop(space, cpu);
        }
    }
    spin_unlock(&spaces_lock);
    core->last = 0;
    core->roll_overs++;
}

uint64_t asid_assign(uint64_t *entry)
{
    cpu_t cpu = core_index();
    struct asid_core *core = &asid_cores[cpu];
    struct vspace *space = container_of(entry - cpu, struct vspace, satp);
    uint64_t satp;

    ASSERT(!irq_enabled());
    if (asid_maximum() != 0) {
        if (core->last >= asid_maximum()) {
            roll_over(core, cpu);
        }
        core->last++;
    }
    satp = mmu_satp(space->root, core->last);
    /* relaxed, both: only this core reads the one, and the fence orders the other */
    atomic_store_relaxed(entry, satp);
    (void)atomic_or_relaxed(&space->entered[cpu / VSPACE_CORE_BITS],
                            1UL << (cpu % VSPACE_CORE_BITS));
    /* full: the bit is seen before this core walks the tables, or the walk sees what was changed
     * before the bit was found missing; pairs with the fence in shootdown_finish, shootdown_here */
    fence_seq_cst();
    /* What an earlier space left under the number goes; and the walks of the hardware heed no fence
     * but this one (privileged specification 1.12, 4.2.1). */
    tlb_record_flush(0, ~0UL, core->last);
    tlb_record_assign(core->last, space);
    return satp;
}

uint64_t asid_roll_overs(cpu_t cpu)
{
    /* relaxed: a statistic */
    return atomic_load_relaxed(&asid_cores[cpu].roll_overs);
}
