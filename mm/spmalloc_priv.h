/* SPDX-License-Identifier: MIT */
/*
 * Heaps, slabs and their free lists: what the files of spmalloc share.
 *
 * Rules: a heap and its slabs belong to the heap's core: everything here is called with that
 * core's memory held (interrupts off on it, or by mm/drain while it sleeps), unless a comment
 * says otherwise. What other cores read of a slab (key, magic, heap, object_bytes) does not
 * change while the slab has objects; the id does, between SLAB and SLAB_FULL.
 *
 * Equations:
 *   slab->used == objects in use + objects on their way home + slab->current
 *   a slab is FRAME_SLAB_FULL exactly when it is not current and its free list is empty
 *   a slab is on heap->partial exactly when it is FRAME_SLAB and not current
 *   heap->slabs == the number of frames whose heap it is
 *   a slab that is not current and has used == 0 does not exist: it went back to the nexus
 */
#pragma once

#include "kernel/base/list.h"
#include "mm/frame.h"
#include "mm/remote.h"
#include "mm/slab_priv.h"
#include "mm/spmalloc.h"

/* slot[] must be first: the fast path adds the class's offset to the heap's address. */
struct heap {
    struct frame *slot[SPMALLOC_CLASSES];  /* the slab to allocate from; &slab_none if none */
    struct list partial[SPMALLOC_CLASSES]; /* others with a free object */
    struct account *account;
    struct list link; /* heaps of the core */
    cpu_t cpu;
    uint32_t slabs;
};

#define OUTGOING_SLOTS 8U
#define OUTGOING_OBJECTS 24U /* a full batch */
#define OUTGOING_AHEAD 7U    /* see struct travelling */
/* Of a batch without objects. */
#define OUTGOING_EMPTY ((int32_t)(OUTGOING_OBJECTS * sizeof(struct remote_node *)))

/* What a core has freed for one other core, not yet sent. */
struct outgoing {
    int32_t place; /* offset in node[] of the last one that was freed; 0: full */
    cpu_t cpu;     /* where it goes, also while it is empty; UINT32_MAX at first */
    /* Filled downwards; above OUTGOING_EMPTY the last ones of the batch before. */
    struct remote_node *node[OUTGOING_OBJECTS + OUTGOING_AHEAD];
};

_Static_assert((sizeof(struct outgoing) & (sizeof(struct outgoing) - 1)) == 0,
               "an index is one shift");

struct spmalloc_core {
    struct outgoing outgoing[OUTGOING_SLOTS]; /* by destination modulo OUTGOING_SLOTS */
    struct remote_node *rest;                 /* taken from the inbox, not yet collected */
    bool makes_slab;                          /* a heap waits for a page */
    struct list heaps;                        /* every heap of this core; the kernel's is last */
    uint64_t random;
    int64_t pages; /* slabs and large objects taken minus given back, here */
    struct heap kernel_heap;
    /* Written by every core that sends; read by this one. */
    struct remote_list inbox;
} CACHE_ALIGNED;

extern struct spmalloc_core spmalloc_cores[MAX_CORES];

/* Marks an object and puts it into a batch, which is not full; true: now it is. */
ALWAYS_INLINE bool outgoing_add(struct outgoing *out, const struct frame *slab, void *object)
{
    __asm__("" : "+r"(out)); /* else GCC computes `at` from the batch's index again */
    struct travelling *travelling = object;
    int64_t place = out->place;
    struct remote_node **at = (struct remote_node **)((char *)out->node + place) - 1;

    travelling->mark = MARK_TRAVELLING ^ slab->key;
    travelling->node.next =
        at[1]; /* of the first one: anything, it is set when the batch is sent */
    if (!BATON_DEBUG) {
        travelling->ahead = at[OUTGOING_AHEAD];
    }
    *at = &travelling->node;
    place -= (int64_t)sizeof(*at);
    out->place = (int32_t)place;
    return place == 0;
}

/* In debug builds each object ends with this. */
struct trailer {
    uintptr_t site; /* who allocated it; while it is free, who freed it */
    uint32_t bytes; /* asked for */
    uint32_t check;
};

#define TRAILER_BYTES (BATON_DEBUG ? sizeof(struct trailer) : 0)

/* spmalloc_slow.c: interrupts are off, `state` is what they were */
void *spmalloc_small_slow(uintptr_t end, struct account *account, struct frame **slot,
                          uint64_t state);
void *spmalloc_small_broken(uintptr_t object);
void spmalloc_free_elsewhere(void *object, uint64_t state);
void spmalloc_free_suspect(void *object, uint64_t state);
void spmalloc_free_full(void *object, uint64_t state);
void spmalloc_free_last(void *object, uint64_t state);
void spmalloc_free_first(void *object, uint64_t state);
void spmalloc_free_send(void *object, uint64_t state);

/* heap.c: heaps */
extern struct frame slab_none;
extern struct heap heap_none;
struct heap *heap_of(struct account *account, cpu_t cpu);    /* made if need be; NULL: no memory */
uintptr_t heap_take(struct heap *heap, unsigned size_class); /* 0: no memory or quota */
uintptr_t heap_take_partial(struct heap *heap, unsigned size_class); /* the current slab is full */

/* slab.c: slabs */
extern const uint16_t spmalloc_class_bytes[SPMALLOC_CLASSES];
struct frame *slab_make(struct heap *heap, unsigned size_class); /* NULL: no memory or quota */
void slab_give_back(struct frame *slab);                         /* with nothing in use */
void slab_put_home(struct frame *slab, uintptr_t object);        /* whatever the slab's state is */

void spmalloc_count_pages(cpu_t cpu, int64_t pages); /* that core's memory is held */

/* spmalloc_large.c: whole pages */
void *large_alloc(struct account *account, size_t bytes);
void large_free(struct frame *frame, uintptr_t object); /* any core */
size_t large_bytes(size_t bytes);

/* spmalloc_debug.c: debug builds */
void debug_fill_slab(struct frame *slab);
void debug_check_slab(struct frame *slab); /* with nothing in use */
void debug_come_home(uintptr_t object);
void debug_after_alloc(void *object, size_t bytes, uintptr_t site);
void debug_before_free(void *object, uintptr_t site);
struct trailer *debug_trailer(const struct frame *slab, uintptr_t object);

/* spmalloc_panic.c: the words of the end */
NORETURN void panic_free_object_written(const struct frame *slab, uintptr_t object);
NORETURN void panic_double_free(const struct frame *slab, uintptr_t object);
NORETURN void panic_not_a_start(const struct frame *frame, uintptr_t object);
NORETURN void panic_foreign(uintptr_t object);
NORETURN void panic_overflow(const struct frame *frame, uintptr_t object);
NORETURN void panic_travelling_written(const struct frame *slab, uintptr_t object);
void spmalloc_describe_site(char *text, size_t bytes, uintptr_t site);
/* spmalloc_count.c */
uint64_t spmalloc_report_leftover(struct account *from, struct account *to); /* objects */

/* The record when it is an object's, in use; else one of the above. */
struct frame *spmalloc_check_in_use(const void *object);
