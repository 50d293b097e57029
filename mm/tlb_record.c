/* SPDX-License-Identifier: MIT */
/*
 * What the TLBs may hold. A note lives from the clearing of an entry to the last flush that it waits
 * for; a space is known by its root.
 */
#include "mm/tlb_record.h"

#include "arch/core.h"
#include "arch/mmu.h"
#include "kernel/abi/limits.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/spinlock.h"
#include "mm/asid.h"

#define WORD_BITS 64U
#define CORE_WORDS ((MAX_CORES + WORD_BITS - 1) / WORD_BITS)

struct tlb_note {
    paddr_t page;
    paddr_t root; /* of the space */
    vaddr_t va;
    uint64_t cores[CORE_WORDS]; /* those that may reach the page; never none */
};

static struct spinlock record_lock = SPINLOCK_INIT("TLB record"); /* guards all; a leaf */
static struct tlb_note notes[TLB_RECORD_NOTES] GUARDED_BY(record_lock);
static uint32_t note_count; /* changed under the lock; read without, as a hint */
#define FLUSHED 1UL
static uint64_t missed GUARDED_BY(record_lock);
/* The root of the space whose translations a core may have under a number, or 0. With FLUSHED when they
 * were dropped while it was not loaded: then the number may be given away. The space may come back under
 * it without a word, so it stays the owner; the mark stays, too, and hides a forgotten flush. */
static paddr_t owner[MAX_CORES][TLB_RECORD_NUMBERS + 1] GUARDED_BY(record_lock);

static bool may_reach(const struct tlb_note *note, cpu_t cpu)
{
    return (note->cores[cpu / WORD_BITS] >> (cpu % WORD_BITS) & 1) != 0;
}

/* The core is off the note at `i`; false when nobody is left on it, and another may be at `i`. */
static bool release_locked(uint32_t i, cpu_t cpu) REQUIRES(record_lock)
{
    struct tlb_note *note = &notes[i];
    uint64_t left = 0;

    note->cores[cpu / WORD_BITS] &= ~(1UL << (cpu % WORD_BITS));
    for (unsigned word = 0; word < CORE_WORDS; word++) {
        left |= note->cores[word];
    }
    if (left == 0) {
        *note = notes[note_count - 1];
        /* relaxed: a hint for others */
        atomic_store_relaxed(&note_count, note_count - 1);
    }
    return left != 0;
}

/* The core is off all notes of the space (0: of any) in the range. */
static void release_range_locked(cpu_t cpu, paddr_t root, vaddr_t va, uint64_t bytes)
    REQUIRES(record_lock)
{
    for (uint32_t i = 0; i < note_count;) {
        const struct tlb_note *note = &notes[i];
        bool meant = (root == 0 || note->root == root) && note->va - va < bytes;

        i += !meant || !may_reach(note, cpu) || release_locked(i, cpu);
    }
}

void tlb_record_assign(uint16_t number, const struct vspace *space)
{
    uint64_t state = spin_lock_save(&record_lock);
    paddr_t *mine = &owner[core_index()][number];

    BUG_ON(number > TLB_RECORD_NUMBERS);
    BUG_ON(*mine != 0 &&
           (*mine & FLUSHED) ==
               0); /* the TLB may have another space's translations under this number */
    *mine = number == 0 ? 0 : space->root;
    spin_unlock_restore(&record_lock, state);
}

void tlb_record_note_flush(vaddr_t va, uint64_t bytes, uint16_t number)
{
    uint64_t state = spin_lock_save(&record_lock);
    cpu_t cpu = core_index();

    if (number == TLB_EVERY_SPACE) {
        release_range_locked(cpu, 0, va, bytes);
    } else if (owner[cpu][number] != 0) {
        release_range_locked(cpu, owner[cpu][number] & ~FLUSHED, va, bytes);
        /* A flush of what is loaded leaves it the space's: it goes on filling the TLB. */
        if (bytes == ~0UL && mmu_satp_asid(mmu_loaded_satp()) != number) {
            owner[cpu][number] |= FLUSHED;
        }
    }
    spin_unlock_restore(&record_lock, state);
}

void tlb_record_note_drop(const struct vspace *space, cpu_t cpu)
{
    uint64_t state = spin_lock_save(&record_lock);

    release_range_locked(cpu, space->root, 0, ~0UL);
    spin_unlock_restore(&record_lock, state);
}

void tlb_record_note_clear(const struct vspace *space, vaddr_t va, paddr_t page)
{
    struct tlb_note note = {.page = page, .root = space->root, .va = va};
    bool any = false;
    uint64_t state = spin_lock_save(&record_lock);

    /* full: the cleared entry comes before the looks, as in shootdown_finish; pairs with the fence
     * in asid_assign */
    fence_seq_cst();
    for (cpu_t cpu = 0; cpu < asid_core_count(); cpu++) {
        /* relaxed: a core that gets its entry later walks later */
        if (atomic_load_relaxed(&space->satp[cpu]) != 0) {
            note.cores[cpu / WORD_BITS] |= 1UL << (cpu % WORD_BITS);
            any = true;
        }
    }
    if (any && note_count == TLB_RECORD_NOTES) {
        missed++;
    } else if (any) {
        notes[note_count] = note;
        /* relaxed: a hint for others */
        atomic_store_relaxed(&note_count, note_count + 1);
    }
    spin_unlock_restore(&record_lock, state);
}

void tlb_record_note_end(const struct vspace *space)
{
    for (cpu_t cpu = 0; cpu < asid_core_count(); cpu++) {
        tlb_record_note_drop(space, cpu);
    }
}

void tlb_record_check_free(paddr_t page, uint64_t bytes)
{
    uint64_t state;

    /* relaxed: the note of a frame that is freed here was made before, by who frees it */
    if (atomic_load_relaxed(&note_count) == 0) {
        return;
    }
    state = spin_lock_save(&record_lock);
    for (uint32_t i = 0; i < note_count; i++) {
        BUG_ON(notes[i].page - page < bytes); /* a core may still reach what is being freed */
    }
    spin_unlock_restore(&record_lock, state);
}

uint64_t tlb_record_missed(void)
{
    uint64_t state = spin_lock_save(&record_lock);
    uint64_t count = missed;

    spin_unlock_restore(&record_lock, state);
    return count;
}
