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
