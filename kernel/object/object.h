/* SPDX-License-Identifier: MIT */
/*
 * The common head of every kernel object that a handle can name.
 *
 * Rules: an object starts with one reference, its creator's. Every pointer that outlives the
 * function that found it owns a reference. The last release runs `destroy` in the releasing
 * context, which may have interrupts off: destroy never blocks; it defers what must wait.
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/rights.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"

struct object {
    uint32_t kind; /* enum object_kind */
    uint32_t references;
    void (*destroy)(struct object *object);
};

void object_init(struct object *object, enum object_kind kind, void (*destroy)(struct object *));

/* Take one more reference; the caller must already own or be protected by one. */
static inline void object_retain(struct object *object)
{
    /* relaxed: the caller's own reference keeps the object alive; nothing is published */
    uint32_t before = atomic_add_relaxed(&object->references, 1);

    BUG_ON(before == 0 || before == UINT32_MAX);
}

/* Take a reference unless the last one is gone (for pointers read in an epoch section). */
_Bool object_retain_try(struct object *object);

static inline void object_release(struct object *object)
{
    /* acq_rel: our uses come before the end, the destroyer sees all of them; pairs with itself
     * on the other cores */
    uint32_t before = atomic_sub_acq_rel(&object->references, 1);

    BUG_ON(before == 0);
    if (before == 1) {
        object->destroy(object);
    }
}
