/* SPDX-License-Identifier: MIT */
/*
 * What the fast paths hand over. Interrupts are off on entry; `state` is what they were before.
 */
#include "arch/core.h"
#include "arch/irq.h"
#include "mm/fail.h"
#include "mm/spmalloc_priv.h"

#define COLLECT_HARD 256U

/*
 * Takes an object; if there is no page or quota, what waits for this core may have one, and slabs
 * that lie empty on it may give theirs.
 */
static uintptr_t take_hard(struct account *account, struct heap *heap, unsigned size_class)
{
    cpu_t cpu = core_index();
    uintptr_t object = heap_take(heap, size_class);
    uint64_t left = spmalloc_waiting(cpu);

    /* A failure that a test wants is to show. */
    if (object != 0 || core_heap_offset() == offsetof(struct account, no_heap)) {
        return object;
    }
    while (object == 0 && left != 0) {
        (void)spmalloc_collect_some(cpu, COLLECT_HARD);
        left -= min_u64(left, COLLECT_HARD);
        object = heap_take(heap, size_class);
    }
    if (object == 0) {
        spmalloc_trim_core(cpu);
        /* A heap goes with its last slab when its account ends, which may be just now. */
        if (account->heap[cpu] == heap) {
            object = heap_take(heap, size_class);
        }
    }
    return object;
}

/* `slot` is that of the account's heap on this core, or of heap_none. */
void *spmalloc_small_slow(uintptr_t end, struct account *account, struct frame **slot,
                          uint64_t state)
{
    bool none = slot >= heap_none.slot && slot < heap_none.slot + SPMALLOC_CLASSES;
    struct heap *own = none ? &heap_none : account->heap[core_index()];
    unsigned size_class = (unsigned)(slot - own->slot);
    uintptr_t object = none ? 0 : heap_take_partial(own, size_class);

    (void)end; /* in the register of the result: leaving it there saves the fast path a move */
    if (object == 0 && !fail_this_allocation()) {
        struct heap *heap = heap_of(account, core_index());

        if (heap != NULL) {
            object = take_hard(account, heap, size_class);
        }
    }
    irq_restore_whole(state);
    return (void *)object;
}

void *spmalloc_small_broken(uintptr_t object)
{
    panic_free_object_written(frame_of_pointer((void *)object), object);
}

/* Of a slab of this core without a free object. It has others in use, for every slab has two. */
void spmalloc_free_full(void *pointer, uint64_t state)
{
    struct frame *slab = frame_of_pointer(pointer);

    (void)slab_put(slab, (uintptr_t)pointer);
    frame_set_state(slab, FRAME_SLAB);
    list_push_front(&slab->heap->partial[slab->size_class], &slab->link);
    irq_restore_whole(state);
}

/* It was the last one of its slab, which is not current. */
void spmalloc_free_last(void *pointer, uint64_t state)
{
    struct frame *slab = frame_of_pointer(pointer);

    list_remove(&slab->link);
    slab_give_back(slab);
    irq_restore_whole(state);
}

/* Not in an open slab of any core, or not the start of an object in one. */
void spmalloc_free_elsewhere(void *pointer, uint64_t state)
{
    uintptr_t object = (uintptr_t)pointer;
    struct frame *frame = frame_of_pointer(pointer);
    unsigned kind = slab_state(frame);

    if (kind == FRAME_LARGE) {
        large_free(frame, object);
    } else if (kind != FRAME_SLAB && kind != FRAME_SLAB_FULL) {
        panic_foreign(object);
    } else if (!object_is_start(frame, object)) {
        panic_not_a_start(frame, object);
    } else {
        slab_put_home(frame, object);
    }
    irq_restore_whole(state);
}

static bool slab_list_has(const struct frame *slab, uintptr_t object)
{
    unsigned n = slab->capacity; /* a list that was destroyed may be a ring */

    for (uintptr_t at = slab->free; (at & FREE_END) == 0 && n > 0; n--) {
        uint64_t link = object_link(slab, at);

        if (at == object) {
            return true;
        }
        if (!link_is_free(link)) {
            panic_free_object_written(slab, at);
        }
        at ^= link >> 52;
    }
    return false;
}

/* Its first word is that of a free object, if its page is a slab. */
void spmalloc_free_suspect(void *pointer, uint64_t state)
{
    uintptr_t object = (uintptr_t)pointer;
    struct frame *slab = frame_of_pointer(pointer);
    unsigned kind = slab_state(slab);

    if (kind != FRAME_SLAB && kind != FRAME_SLAB_FULL) {
        spmalloc_free_elsewhere(pointer, state);
        return;
    }
    uint64_t link = object_link(slab, object);
    /* Only the owner may walk the list; for the others the chance of 2^-52 is proof enough. */
    if (link == MARK_TRAVELLING || link == MARK_NO_OBJECT || slab_owner(slab) != core_index() ||
        slab_list_has(slab, object)) {
        panic_double_free(slab, object);
    }
    slab_put_home(slab, object); /* chance: its owner wrote just this number */
    irq_restore_whole(state);
}

void spmalloc_force_slow(bool slow)
{
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        uint64_t offset = slow ? offsetof(struct account, no_heap)
                               : offsetof(struct account, heap) + cpu * sizeof(struct heap *);

        /* relaxed: both values are good at any time */
        atomic_store_relaxed(&cores[cpu].heap_offset, offset);
    }
}
