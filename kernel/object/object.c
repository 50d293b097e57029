/* SPDX-License-Identifier: MIT */
/*
 * Reference counts of kernel objects.
 */
#include "kernel/object/object.h"

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"

void object_init(struct object *object, enum object_kind kind, void (*destroy)(struct object *))
{
    object->kind = kind;
    object->references = 1;
    object->destroy = destroy;
}

void object_retain(struct object *object)
{
    /* relaxed: the caller's own reference keeps the object alive; nothing is published */
    uint32_t before = atomic_add_relaxed(&object->references, 1);

    BUG_ON(before == 0 || before == UINT32_MAX);
}

bool object_retain_try(struct object *object)
{
    /* relaxed: whoever led us here published the object */
    uint32_t count = atomic_load_relaxed(&object->references);

    do {
        if (count == 0) {
            return false;
        }
        /* relaxed: as object_retain */
    } while (!atomic_cas_relaxed(&object->references, &count, count + 1));
    return true;
}

void object_release(struct object *object)
{
    /* acq_rel: our uses come before the end, the destroyer sees all of them; pairs with itself
     * on the other cores */
    uint32_t before = atomic_sub_acq_rel(&object->references, 1);

    BUG_ON(before == 0);
    if (before == 1) {
        object->destroy(object);
    }
}
