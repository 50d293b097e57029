/* SPDX-License-Identifier: MIT */
/*
 * The fast paths: an object from the core's own current slab, and back to a slab of the core.
 *
 * Problem: these two run for every message, handle and port, so each instruction counts. Choice:
 * interrupts off instead of a lock or an atomic (the core's memory is nobody else's meanwhile);
 * an account has a heap on every core from the start, at worst one whose slabs are all full, so
 * nothing is compared with NULL; one comparison of the frame's id tells that a page is a slab, of
 * this core, with room. Everything else is a tail call out of here, so that neither function has a
 * stack frame; this file is compiled without frame pointers for the same reason.
 */
#include "arch/core.h"
#include "arch/irq.h"
#include "mm/spmalloc_priv.h"

void *spmalloc_small(size_t slot, struct account *account)
{
    uint64_t state = irq_save_whole();
    struct heap *heap = *(struct heap **)((char *)account + core_heap_offset());
    struct frame **at = (struct frame **)((char *)heap + slot);
    struct frame *slab = *at;
    uintptr_t object = slab->free;

    if (UNLIKELY((object & FREE_END) != 0)) {
        return spmalloc_small_slow(object, account, at, state);
    }
    if (UNLIKELY(!slab_take(slab, object))) {
        return spmalloc_small_broken(object);
    }
    irq_restore_whole(state);
    return (void *)object;
}

/* Into the batch for the owner. */
ALWAYS_INLINE void free_remote(const struct frame *slab, void *pointer, cpu_t cpu, uint64_t state)
{
    struct spmalloc_core *core = core_heaps();
    struct outgoing *out = &core->outgoing[cpu % OUTGOING_SLOTS];

    if (UNLIKELY(out->cpu != cpu)) {
        spmalloc_free_first(pointer, state);
        return;
    }
    if (UNLIKELY(outgoing_add(out, slab, pointer))) {
        spmalloc_free_send(pointer, state);
        return;
    }
    irq_restore_whole(state);
}

/* The checks come before the look at the id, because slabs of both kinds need them. On a page that
 * is no slab they go wrong or not; either way the code they lead to looks at the id first. */
void spmalloc_free_object(void *pointer)
{
    __asm__("" : "+r"(pointer)); /* keeps GCC from copying it first: one instruction */
    uintptr_t object = (uintptr_t)pointer;
    uint64_t state = irq_save_whole();
    struct frame *slab = frame_of_pointer(pointer);

    if (UNLIKELY(!object_is_start(slab, object))) {
        spmalloc_free_elsewhere(pointer, state);
        return;
    }
    if (UNLIKELY(link_is_free(object_link(slab, object)))) {
        spmalloc_free_suspect(pointer, state);
        return;
    }
    /* relaxed: SLAB of this core is written by this core only, any slab's owner does not change */
    int64_t id = atomic_load_relaxed((int32_t *)&slab->id);
    int64_t mine = core_slab_id();
    uint64_t differs = (uint64_t)(id ^ mine);

    if (UNLIKELY(id != mine)) {
        if (UNLIKELY((differs & 0xfe) != 0)) {
            spmalloc_free_elsewhere(pointer, state);
        } else if (UNLIKELY(differs >> 16 == 0)) {
            spmalloc_free_full(pointer, state);
        } else {
            free_remote(slab, pointer, (cpu_t)((uint64_t)id >> 16), state);
        }
        return;
    }
    if (UNLIKELY(!slab_put(slab, object))) {
        spmalloc_free_last(pointer, state);
        return;
    }
    irq_restore_whole(state);
}
