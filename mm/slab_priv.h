/* SPDX-License-Identifier: MIT */
/*
 * The free list inside a slab's objects: how it is encoded, checked, pushed to and popped from.
 *
 * Rules: the slab's core, unless a function takes the slab as const: key, magic and object_bytes
 * never change while the page is a slab.
 *
 * Free list: the first word of a free object is  (next ^ object) << 52 ^ key.  Both are in one
 * page, so the difference has 12 bits. The low 52 bits of word ^ key are therefore zero in a free
 * object and, but for chance (2^-52), not in one in use: whoever writes to a free object without
 * knowing the key is found when the object is taken, and an object that looks free when it is
 * freed is being freed twice. The difference lies in the high bits so that the byte next to the
 * object in front, the first that an overflow destroys, is one that is checked.
 */
#pragma once

#include "arch/core.h"
#include "kernel/abi/limits.h"
#include "kernel/base/atomic.h"
#include "mm/frame.h"
#include "mm/remote.h"
#include "mm/spmalloc.h"

#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* An empty list ends in an odd address of the page. */
#define FREE_END 1UL

/* Values that no link has: of an object on its way home, and of the rest behind the last object. */
#define MARK_TRAVELLING 0UL
#define MARK_NO_OBJECT (3UL << 52)

ALWAYS_INLINE uint64_t *object_word(uintptr_t object)
{
    return (uint64_t *)object;
}

/* An object on its way home. */
struct travelling {
    uint64_t mark; /* MARK_TRAVELLING, encoded */
    struct remote_node node;
    /* Not in debug builds, whose trailer may be here: the node that the owner comes to a few objects
     * later. Advice: it is prefetched, not followed, and may have gone home before. */
    struct remote_node *ahead;
};

ALWAYS_INLINE struct remote_node *object_node(uintptr_t object)
{
    return &((struct travelling *)object)->node;
}

ALWAYS_INLINE uintptr_t node_object(const struct remote_node *node)
{
    return (uintptr_t)node - offsetof(struct travelling, node);
}

/* The owner is about to come to the node. */
ALWAYS_INLINE void node_prefetch_ahead(const struct remote_node *node)
{
    if (!BATON_DEBUG) {
        arch_prefetch_write(container_of(node, struct travelling, node)->ahead);
    }
}

/* Difference (high 12 bits) and check (low 52, zero in a free object) of an object's first word. */
ALWAYS_INLINE uint64_t object_link(const struct frame *slab, uintptr_t object)
{
    return *object_word(object) ^ slab->key;
}

ALWAYS_INLINE bool link_is_free(uint64_t link)
{
    return link << 12 == 0;
}

/* Lemire, Kaser, Kurz, "Faster remainder by direct computation" (2019): offset is a multiple of
 * object_bytes exactly when this holds. The multiple behind the last object has MARK_NO_OBJECT. */
ALWAYS_INLINE bool object_is_start(const struct frame *slab, uintptr_t object)
{
    return (uint32_t)(object % PAGE_BYTES) * slab->magic < slab->magic;
}

/* Puts an object on the free list and uncounts it; false when the slab has none left in use. */
ALWAYS_INLINE bool slab_put(struct frame *slab, uintptr_t object)
{
    uint64_t used = slab->used - 1UL;

    /* Keeps the compiler from comparing the old value with a 1 that it must load first. */
    __asm__("" : "+r"(used));
    *object_word(object) = (slab->free ^ object) << 52 ^ slab->key;
    slab->free = object;
    slab->used = (uint32_t)used;
    return used != 0;
}

/* Takes the object that slab->free names; false when it was written while free. */
ALWAYS_INLINE bool slab_take(struct frame *slab, uintptr_t object)
{
    uint64_t link = object_link(slab, object);

    if (UNLIKELY(!link_is_free(link))) {
        return false;
    }
    slab->free = object ^ link >> 52;
    slab->used++;
    *object_word(object) = 0; /* so that it does not look free */
    return true;
}

/* Any core may look at it; its owner changes it. */
static inline unsigned slab_state(const struct frame *slab)
{
    /* relaxed: SLAB or SLAB_FULL, and either answer will do */
    return atomic_load_relaxed(&slab->id) & 0xff;
}

static inline cpu_t slab_owner(const struct frame *slab)
{
    /* relaxed: the owner never changes while the page is a slab, but the word it is in does */
    return atomic_load_relaxed(&slab->id) >> 16;
}

static inline void frame_set_state(struct frame *frame, enum frame_state state)
{
    /* relaxed: other cores may look at it, see slab_state; nothing hangs on it */
    atomic_store_relaxed(&frame->id, (frame->id & ~0xffU) | (uint32_t)state);
}
