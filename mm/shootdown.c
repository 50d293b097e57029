/* SPDX-License-Identifier: MIT */
/*
 * Shootdown by question and answer.
 *
 * Problem: a core may have any entry of the tables in its TLB, and may load it at any moment while the
 * space has an entry for it (mm/asid.h). The call path cannot afford to announce that it enters a
 * space, with a fence, at each call. Choice: it announces nothing, and the one who changes the tables
 * interrupts instead. The path loads a space with interrupts off, so when the core answers it is
 * either in the space, and flushes, or it will look at its entry again, and that is empty by then.
 *
 * States of core c for a space: no entry | entry, not loaded | loaded; and core c is awake or sleeps.
 *   no entry -> loaded           by c: asid_assign, with a fence that pairs with ours here, so
 *                                either we see its entry or its walks see our change
 *   entry -> loaded, and back    by c, without a word: fast path, switch
 *   entry -> no entry            by c, asked, when it is not in the space; by c at a roll-over; by
 *                                who holds c asleep
 *   awake -> sleeps              by c, with the kernel's tables loaded
 *   sleeps -> sleeps, held       by who asks: compare-and-swap, HELPER added; and back
 *   sleeps -> awake              by c, when nobody holds it
 *
 * A schedule that must not be, and what forbids it: A changes a table and finds c asleep; c wakes and
 * loads the entry; A empties it and frees the frame; c runs on with what its TLB has. c cannot wake
 * between A's look and A's store, since A holds it (shootdown_wake). Emptying the entry of a core that
 * is awake would be as wrong for the next who asks: it would take c for one that never ran the space.
 *
 * A request is the batch on the asker's stack; it stays until `waiting` is 0, which each core asked
 * lowers with its last access to it.
 */
#include "mm/shootdown.h"

#include "arch/core.h"
#include "arch/ipi.h"
#include "arch/irq.h"
#include "arch/mmu.h"
#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/asid.h"
#include "mm/tlb_record.h"

/* shootdown_core.sleep: ASLEEP by the core itself, HELPER for each that empties entries for it. */
#define ASLEEP 1U
#define HELPER 2U

struct shootdown_core {
    /* Written by the core that asks, before it asks; read by those asked. */
    const struct shootdown *request;
    struct shootdown_counts counts;
    /* Raised by the core that asks, lowered by those asked. */
    _Alignas(64) uint32_t waiting;
    /* Raised by cores that ask, a bit each; taken by this one. */
    _Alignas(64) uint64_t asked[VSPACE_CORE_WORDS];
    uint32_t sleep;
} CACHE_ALIGNED;

static struct shootdown_core shootdown_cores[MAX_CORES];

void shootdown_begin(struct shootdown *batch, struct vspace *space)
{
    batch->space = space;
    batch->count = 0;
    batch->pages = 0;
    batch->whole = false;
}

void shootdown_add(struct shootdown *batch, vaddr_t start, uint64_t bytes)
{
    if (batch->whole || batch->count == SHOOTDOWN_RANGES ||
        bytes > (SHOOTDOWN_PAGES - batch->pages) * (uint64_t)PAGE_BYTES) {
        batch->whole = true;
        return;
    }
    batch->range[batch->count++] = (struct shootdown_range){start, bytes};
    batch->pages += (uint32_t)(bytes / PAGE_BYTES);
}

void shootdown_add_tables(struct shootdown *batch)
{
    batch->whole = true;
}

/* Drops from this core's TLB what the request names, under the number that the entry has. */
static void flush_request(const struct shootdown *request, uint64_t entry)
{
    uint16_t number = mmu_satp_asid(entry);

    if (request->whole) {
        tlb_record_flush(0, ~0UL, number);
        return;
    }
    for (uint32_t i = 1; i < request->count; i++) {
        tlb_record_flush(request->range[i].start, request->range[i].bytes, number);
    }
    tlb_record_flush(request->range[0].start, request->range[0].bytes, number);
}

/* Answers core `asker` on this core, `self`. */
static void answer(struct shootdown_core *asker, cpu_t self)
{
    const struct shootdown *request = asker->request;
    /* relaxed: only this core changes its entry while it is awake */
    uint64_t entry = atomic_load_relaxed(&request->space->satp[self]);

    if (entry == mmu_loaded_satp()) {
        flush_request(request, entry);
    } else if (entry != 0) {
        asid_drop(request->space, self);
    }
    /* release: our accesses to the request, and our users' through the old translations, come before;
     * pairs with the acquire in shootdown_finish */
    atomic_sub_release(&asker->waiting, 1U);
}

static void answer_all(struct shootdown_core *core, cpu_t self)
{
    for (cpu_t word = 0; word < VSPACE_CORE_WORDS; word++) {
        uint64_t bits;

        /* relaxed: who asks after this look interrupts, or is seen at the next */
        if (atomic_load_relaxed(&core->asked[word]) == 0) {
            continue;
        }
        /* acquire: see the requests and the changed tables; pairs with the release in ask */
        bits = atomic_swap_acquire(&core->asked[word], 0UL);
        for (; bits != 0; bits &= bits - 1) {
            cpu_t asker = word * VSPACE_CORE_BITS + (cpu_t)__builtin_ctzl(bits);

            answer(&shootdown_cores[asker], self);
        }
    }
}

void shootdown_handle(void)
{
    cpu_t self = core_index();

    answer_all(&shootdown_cores[self], self);
}

/* Empties the entry of core `cpu` for it if it sleeps; false when it does not. */
static bool empty_sleeper(struct vspace *space, cpu_t cpu)
{
    struct shootdown_core *core = &shootdown_cores[cpu];
    /* relaxed: the compare-and-swap looks again */
    uint32_t sleep = atomic_load_relaxed(&core->sleep);

    do {
        if ((sleep & ASLEEP) == 0) {
            return false;
        }
        /* acquire: all that ran there is over; pairs with the release in shootdown_sleep */
    } while (!atomic_cas_acquire(&core->sleep, &sleep, sleep + HELPER));
    asid_drop(space, cpu);
    /* release: it finds the entry empty; pairs with the acquire in shootdown_wake */
    atomic_sub_release(&core->sleep, HELPER);
    return true;
}

/* Has core `cpu` answer to what `self` requests. */
static void ask(struct shootdown_core *mine, cpu_t self, cpu_t cpu)
{
    /* relaxed: the release below publishes it */
    atomic_add_relaxed(&mine->waiting, 1U);
    /* release: the request and the changed tables come before; pairs with the swap in answer_all */
    atomic_or_release(&shootdown_cores[cpu].asked[self / VSPACE_CORE_BITS],
                      1UL << (self % VSPACE_CORE_BITS));
    ipi_request(cpu, IPI_SHOOTDOWN);
    mine->counts.asked++;
}

/* Sees to it that every other core has dropped, or will drop before it looks, what the batch names.
 * Apart, to keep the change of a space that runs here only short. */
__attribute__((noinline)) static void settle_others(const struct shootdown *batch, cpu_t self)
{
    struct shootdown_core *mine = &shootdown_cores[self];

    mine->request = batch;
    for (cpu_t word = 0; word < VSPACE_CORE_WORDS; word++) {
        uint64_t others = shootdown_others(batch->space, word, self);

        for (; others != 0; others &= others - 1) {
            cpu_t cpu = word * VSPACE_CORE_BITS + (cpu_t)__builtin_ctzl(others);

            if (empty_sleeper(batch->space, cpu)) {
                mine->counts.emptied++;
            } else {
                ask(mine, self, cpu);
            }
        }
    }
    /* acquire: what the others did with the old translations is over; pairs with the release in
     * answer */
    while (atomic_load_acquire(&mine->waiting) != 0) {
        answer_all(mine, self); /* else two that ask each other wait for ever */
        arch_relax();
    }
}

void shootdown_finish(struct shootdown *batch)
{
    uint64_t state;
    uint64_t entry;
    cpu_t self;

    ASSERT(irq_enabled());
    if (batch->count == 0 && !batch->whole) {
        return;
    }
    state = irq_save();
    self = core_index();
    /* full: the tables were changed before the entries are looked at; pairs with the fence in
     * asid_assign */
    fence_seq_cst();
    /* relaxed: only this core changes it while it is awake */
    entry = atomic_load_relaxed(&batch->space->satp[self]);
    if (entry != 0) {
        flush_request(batch, entry);
    }
    if (shootdown_has_others(batch->space, self)) {
        settle_others(batch, self);
    }
    irq_restore(state);
    batch->count = 0;
    batch->pages = 0;
    batch->whole = false;
}

void shootdown(struct vspace *space, vaddr_t start, uint64_t bytes)
{
    struct shootdown batch;

    shootdown_begin(&batch, space);
    shootdown_add(&batch, start, bytes);
    shootdown_finish(&batch);
}

void shootdown_sleep(void)
{
    struct shootdown_core *core = &shootdown_cores[core_index()];

    ASSERT(!irq_enabled() && mmu_loaded_satp() == mmu_kernel_satp());
    /* release: all that ran here in a space is over; pairs with the acquire in empty_sleeper */
    atomic_store_release(&core->sleep, ASLEEP);
}

void shootdown_wake(void)
{
    struct shootdown_core *core = &shootdown_cores[core_index()];
    uint32_t sleep = ASLEEP;

    /* acquire: find the entries that were emptied; pairs with the release in empty_sleeper */
    while (!atomic_cas_acquire(&core->sleep, &sleep, 0U)) {
        sleep = ASLEEP;
        arch_relax();
    }
}

struct shootdown_counts shootdown_counts(cpu_t cpu)
{
    return shootdown_cores[cpu].counts;
}
