/* SPDX-License-Identifier: MIT */
/*
 * Counting objects, and reporting those that an ended account left behind.
 *
 * Choice: nothing is counted an object when it is allocated or freed; whoever asks walks the
 * records of all frames. That is slow (half a millisecond a gigabyte) and, while others allocate,
 * off by what moves meanwhile, but it reads nothing that could be unmapped.
 */
#include "arch/layout.h"
#include "kernel/base/print.h"
#include "mm/frame_priv.h"
#include "mm/spmalloc_priv.h"

static bool is_slab(const struct frame *frame)
{
    unsigned state = slab_state(frame);

    /* The second half tells garbage from slabs, see visit_frames. */
    return (state == FRAME_SLAB || state == FRAME_SLAB_FULL) &&
           frame->size_class < SPMALLOC_CLASSES &&
           frame->object_bytes == spmalloc_class_bytes[frame->size_class];
}

/*
 * Every slab, and the first frame of each block, in use or free. Records inside a free block may
 * never have been written, so blocks are stepped over; only one that is freed or split just now can
 * lead inside it.
 */
static void visit_frames(void (*visit)(struct frame *frame, void *argument), void *argument)
{
    for (unsigned i = 0; i < frame_bank_count; i++) {
        for (uint64_t page = 0; page < frame_banks[i].pages;) {
            struct frame *frame = frame_of(frame_banks[i].base + page * PAGE_BYTES);
            /* relaxed: a snapshot */
            unsigned order = atomic_load_relaxed(&frame->id) >> 8 & 0xff;

            visit(frame, argument);
            page += order <= FRAME_MAX_ORDER ? 1UL << order : 1;
        }
    }
}

static void count_frame(struct frame *frame, void *argument)
{
    uint64_t *objects = argument;

    if (slab_state(frame) == FRAME_LARGE) {
        *objects += 1;
    } else if (is_slab(frame)) {
        /* relaxed: a snapshot */
        *objects +=
            (uint64_t)atomic_load_relaxed(&frame->used) - atomic_load_relaxed(&frame->current);
    }
}

uint64_t spmalloc_objects(void)
{
    uint64_t objects = 0;

    visit_frames(count_frame, &objects);
    return objects;
}

uint64_t spmalloc_pages(void)
{
    int64_t pages = 0;

    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        /* relaxed: a snapshot; a core may be below zero when it frees what others allocated */
        pages += atomic_load_relaxed(&spmalloc_cores[cpu].pages);
    }
    return (uint64_t)pages;
}

struct leftover {
    struct account *from;
    struct account *to;
    uint64_t objects;
};

static void report_object(struct leftover *leftover, uintptr_t object, uint32_t bytes,
                          uintptr_t site)
{
    char text[64] = "(call sites are known in debug builds)";

    leftover->objects++;
    if (BATON_DEBUG) {
        spmalloc_describe_site(text, sizeof(text), site);
    }
    if (leftover->objects <= 16) {
        print("spmalloc: leak: 0x%lx, %u bytes, allocated by %s\n", object, bytes, text);
    }
}

/* Is the object neither on the free list nor on its way home? */
static bool object_in_use(const struct frame *slab, uintptr_t object)
{
    return !link_is_free(object_link(slab, object));
}

static void report_slab(struct leftover *leftover, struct frame *slab)
{
    uintptr_t page = (uintptr_t)direct_map(frame_address(slab));

    for (unsigned i = 0; i < slab->capacity; i++) {
        uintptr_t object = page + (uintptr_t)i * slab->object_bytes;
        const struct trailer *trailer = debug_trailer(slab, object);

        if (object_in_use(slab, object)) {
            report_object(leftover, object, BATON_DEBUG ? trailer->bytes : slab->object_bytes,
                          BATON_DEBUG ? trailer->site : 0);
        }
    }
}

static void report_frame(struct frame *frame, void *argument)
{
    struct leftover *leftover = argument;

    if (slab_state(frame) == FRAME_LARGE &&
        (struct account *)(uintptr_t)frame->key == leftover->from) {
        report_object(leftover, (uintptr_t)direct_map(frame_address(frame)), frame->magic,
                      frame->free);
        BUG_ON(account_charge_pages(leftover->to, 1UL << frame_order(frame)) != OK);
        frame->key = (uintptr_t)leftover->to;
    } else if (is_slab(frame) &&
               frame->heap == leftover->from->heap[frame_owner(frame) % MAX_CORES]) {
        report_slab(leftover, frame);
        BUG_ON(account_charge_pages(leftover->to, 1) != OK);
    }
}

uint64_t spmalloc_report_leftover(struct account *from, struct account *to)
{
    struct leftover leftover = {.from = from, .to = to};

    visit_frames(report_frame, &leftover);
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        if (from->heap[cpu] != &heap_none) {
            from->heap[cpu]->account = to;
        }
    }
    return leftover.objects;
}
