/* SPDX-License-Identifier: MIT */
/*
 * Slabs: a page cut into equal objects, with its record in struct frame.
 *
 * Why half a page is the largest object: with slabs of one page, two objects of 2048 bytes fill it,
 * while one of 2080 would leave 2016 bytes unused, so a slab costs what a page of its own costs.
 * Why these classes: a multiple of 32 is of use only if the page holds more of them than of the
 * next larger one, and a class that a multiple of 64 falls into is one itself, so that structures
 * aligned to cache lines are. Bytes left over in a page: at most 256 (6.25 %, 640 and 768), else
 * 192 or less; an object wastes at most a quarter of its slot above 768 bytes, less below.
 */
#include "arch/layout.h"
#include "mm/nexus.h"
#include "mm/spmalloc_priv.h"

const uint16_t spmalloc_class_bytes[SPMALLOC_CLASSES] = {
    32,  64,  96,  128, 160, 192, 224, 256,  288,  320,
    352, 384, 448, 512, 576, 640, 768, 1024, 1344, 2048,
};

/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016). */
static uint64_t random_next(cpu_t cpu)
{
    uint64_t x = spmalloc_cores[cpu].random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    spmalloc_cores[cpu].random = x;
    return x * 0x2545f4914f6cdd1dUL;
}

void spmalloc_count_pages(cpu_t cpu, int64_t pages)
{
    int64_t *count = &spmalloc_cores[cpu].pages;

    /* relaxed: a number that others only read */
    atomic_store_relaxed(count, *count + pages);
}

/* Where the object behind the last one would be; 0 when the page has no room left there. */
static uintptr_t slab_rest(const struct frame *slab)
{
    uint64_t end = (uint64_t)slab->capacity * slab->object_bytes;

    return end == PAGE_BYTES ? 0 : (uintptr_t)direct_map(frame_address(slab)) + end;
}

/* All objects free, the first to be given out chosen at random. */
static void slab_fill(struct frame *slab, unsigned first)
{
    uintptr_t page = (uintptr_t)direct_map(frame_address(slab));
    unsigned index = first;

    slab->free = page | FREE_END;
    for (unsigned i = 0; i < slab->capacity; i++) {
        index = index == 0 ? slab->capacity - 1U : index - 1;
        uintptr_t object = page + (uintptr_t)index * slab->object_bytes;

        *object_word(object) = (slab->free ^ object) << 52 ^ slab->key;
        slab->free = object;
    }
    if (slab_rest(slab) != 0) {
        *object_word(slab_rest(slab)) = MARK_NO_OBJECT ^ slab->key;
    }
}

struct frame *slab_make(struct heap *heap, unsigned size_class)
{
    if (account_charge_pages(heap->account, 1) != OK) {
        return NULL;
    }
    spmalloc_cores[heap->cpu].makes_slab = true; /* no heap of the core may go meanwhile */
    paddr_t page = nexus_alloc_page();
    spmalloc_cores[heap->cpu].makes_slab = false;
    if (page == FRAME_NONE) {
        account_uncharge_pages(heap->account, 1);
        return NULL;
    }
    struct frame *slab = frame_of(page);
    uint64_t random = random_next(heap->cpu);
    uint16_t bytes = spmalloc_class_bytes[size_class];

    BUG_ON(frame_owner(slab) != heap->cpu);
    slab->key = random | 1; /* so that a first word of zero does not look free */
    slab->heap = heap;
    slab->magic = UINT32_MAX / bytes + 1; /* rounded up */
    slab->used = 0;
    slab->capacity = (uint16_t)(PAGE_BYTES / bytes);
    slab->object_bytes = bytes;
    slab->size_class = (uint8_t)size_class;
    slab->current = 0;
    list_init(&slab->link);
    slab_fill(slab, (unsigned)(random >> 32) % slab->capacity);
    if (BATON_DEBUG) {
        debug_fill_slab(slab);
    }
    frame_set_state(slab, FRAME_SLAB);
    heap->slabs++;
    spmalloc_count_pages(heap->cpu, 1);
    return slab;
}

void slab_give_back(struct frame *slab)
{
    struct heap *heap = slab->heap;
    uintptr_t rest = slab_rest(slab);

    if (rest != 0 && object_link(slab, rest) != MARK_NO_OBJECT) {
        panic_free_object_written(slab, rest);
    }
    if (BATON_DEBUG) {
        debug_check_slab(slab);
    }
    heap->slabs--;
    account_uncharge_pages(heap->account, 1);
    spmalloc_count_pages(heap->cpu, -1);
    frame_set_state(slab, FRAME_PAGE);
    nexus_free_page(frame_address(slab));
}

void slab_put_home(struct frame *slab, uintptr_t object)
{
    bool was_full = slab_state(slab) == FRAME_SLAB_FULL;
    bool has_objects = slab_put(slab, object);

    if (was_full) {
        frame_set_state(slab, FRAME_SLAB);
        list_push_front(&slab->heap->partial[slab->size_class], &slab->link);
    }
    if (!has_objects) {
        list_remove(&slab->link);
        slab_give_back(slab);
    }
}
