/* SPDX-License-Identifier: MIT */
/*
 * Heaps: which slab of an account a core allocates from, one for each size class.
 *
 * Problem: charging each object to its account would cost an atomic operation an object, and a
 * domain's objects beside another's would show and keep the other's memory. Choice: each account
 * has slabs of its own on each core that allocates for it, so a page is charged when it becomes a
 * slab and given back when its last object is gone. Cost: an account holds at least a page for
 * each core and class that it uses; an empty slab stays as long as it is the current one and goes
 * when the core is trimmed.
 */
#include <string.h>

#include "arch/core.h"
#include "mm/frame.h"
#include "mm/spmalloc_priv.h"

/* An allocation that finds the slabs of its class full takes so many home, but another page while
 * fewer than these wait: their cache lines cost half as much when several batches come together. */
#define COLLECT_BATCH 64U
#define COLLECT_LEAST 32U

/* Full for ever: what a slot names that has no slab. Never written. */
struct frame slab_none = {.free = FREE_END};

/* What an account has on a core that it was never used on. Never written. */
struct heap heap_none = {.slot = {[0 ... SPMALLOC_CLASSES - 1] = &slab_none}};

struct spmalloc_core spmalloc_cores[MAX_CORES];

static void heap_init(struct heap *heap, struct account *account, cpu_t cpu)
{
    for (unsigned i = 0; i < SPMALLOC_CLASSES; i++) {
        heap->slot[i] = &slab_none;
        list_init(&heap->partial[i]);
    }
    heap->account = account;
    heap->cpu = cpu;
    heap->slabs = 0;
    list_push_front(&spmalloc_cores[cpu].heaps, &heap->link);
    /* release: complete before account_finish counts it; pairs with the acquire there */
    atomic_store_release(&account->heap[cpu], heap);
}

struct heap *heap_of(struct account *account, cpu_t cpu)
{
    struct heap *heap = account->heap[cpu];

    if (heap == &heap_none) {
        heap = spmalloc(&kernel_account, sizeof(*heap));
        if (heap != NULL) {
            heap_init(heap, account, cpu);
        }
    }
    return heap;
}

/* The slab, which has a free object, takes the place of one that has none left. */
static void heap_make_current(struct heap *heap, unsigned size_class, struct frame *slab)
{
    struct frame *old = heap->slot[size_class];

    if (old != &slab_none) {
        if (old->used != old->capacity + 1U) {
            panic_free_object_written(old, old->free);
        }
        old->current = 0;
        old->used--;
        frame_set_state(old, FRAME_SLAB_FULL);
    }
    slab->current = 1;
    slab->used++;
    heap->slot[size_class] = slab;
}

static uintptr_t take_first(struct frame *slab)
{
    uintptr_t object = slab->free;

    if (!slab_take(slab, object)) {
        panic_free_object_written(slab, slab->free);
    }
    return object;
}

uintptr_t heap_take_partial(struct heap *heap, unsigned size_class)
{
    struct list *link = list_pop_front(&heap->partial[size_class]);

    if (link == NULL) {
        return 0;
    }
    struct frame *slab = list_entry(link, struct frame, link);

    heap_make_current(heap, size_class, slab);
    return take_first(slab);
}

uintptr_t heap_take(struct heap *heap, unsigned size_class)
{
    struct frame *slab = heap->slot[size_class];
    bool is_full = (slab->free & FREE_END) != 0;

    if (is_full && list_is_empty(&heap->partial[size_class]) &&
        spmalloc_waiting(heap->cpu) >= COLLECT_LEAST) {
        (void)spmalloc_collect_some(heap->cpu, COLLECT_BATCH);
        is_full = (slab->free & FREE_END) != 0;
    }
    if (!is_full) {
        return take_first(slab);
    }
    uintptr_t object = heap_take_partial(heap, size_class);

    if (object == 0) {
        slab = slab_make(heap, size_class);
        if (slab != NULL) {
            heap_make_current(heap, size_class, slab);
            object = take_first(slab);
        }
    }
    return object;
}

static void heap_trim(struct heap *heap)
{
    for (unsigned i = 0; i < SPMALLOC_CLASSES; i++) {
        struct frame *slab = heap->slot[i];

        if (slab->current != 0 && slab->used == 1) {
            heap->slot[i] = &slab_none;
            slab->current = 0;
            slab->used = 0;
            slab_give_back(slab);
        }
    }
}

static void heap_end(struct heap *heap)
{
    list_remove(&heap->link);
    /* release: the account is not touched any more; pairs with the acquire in account_finish */
    atomic_store_release(&heap->account->heap[heap->cpu], &heap_none);
    if (BATON_DEBUG) {
        debug_before_free(heap, (uintptr_t)&heap_end);
    }
    slab_put_home(frame_of_pointer(heap), (uintptr_t)heap);
}

void spmalloc_trim_core(cpu_t cpu)
{
    /* The kernel's heap is the last: the other heaps' memory is in it. */
    list_for_each_safe(link, &spmalloc_cores[cpu].heaps)
    {
        struct heap *heap = list_entry(link, struct heap, link);

        heap_trim(heap);
        if (heap->slabs == 0 && account_has_ended(heap->account)) {
            heap_end(heap);
        }
    }
}

static void core_init(cpu_t cpu, uint64_t seed)
{
    struct spmalloc_core *core = &spmalloc_cores[cpu];

    memset(core, 0, sizeof(*core));
    for (unsigned i = 0; i < OUTGOING_SLOTS; i++) {
        core->outgoing[i].place = OUTGOING_EMPTY;
        core->outgoing[i].cpu = UINT32_MAX;
    }
    list_init(&core->heaps);
    core->random = (seed + cpu) * 0x9e3779b97f4a7c15UL | 1;
    cores[cpu].heaps = core;
    cores[cpu].slab_id = (int32_t)FRAME_ID(FRAME_SLAB, 0, cpu);
}

void spmalloc_init(unsigned core_count, uint64_t seed)
{
    account_init(&kernel_account, ACCOUNT_UNLIMITED);
    spmalloc_force_slow(false);
    for (cpu_t cpu = 0; cpu < core_count; cpu++) {
        core_init(cpu, seed);
        heap_init(&spmalloc_cores[cpu].kernel_heap, &kernel_account, cpu);
    }
}
