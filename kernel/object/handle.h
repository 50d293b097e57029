/* SPDX-License-Identifier: MIT */
/*
 * Handle tables: a domain's unforgeable references to kernel objects.
 *
 * Rules: an entry owns a reference to its object. The handle's value holds slot and generation;
 * a slot's generation rises at every reuse and a slot whose generation is used up (2^47) retires,
 * so an old handle never names a new object. Readers that hold interrupts off (the fast path)
 * may look up without the lock: the table's array is replaced, never changed in size, and the old
 * one is freed after a grace period.
 *
 * Three ways to end something: handle_close gives up one reference of one domain; handle_revoke ends all that was
 * made from a handle, in whatever domain, and leaves the handle itself; closing the object (port_close) ends it
 * for everybody, handles stay and say ERR_STALE.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/rights.h"
#include "kernel/abi/status.h"
#include "kernel/base/atomic.h"
#include "kernel/base/types.h"
#include "kernel/object/grant.h"
#include "kernel/object/object.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/spinlock.h"

/* Beside the rights of an entry: it was made from another handle, so it may be revoked. */
#define HANDLE_IS_COPY (1U << 31)

/* One slot; read by ipc/riscv/fastpath.S. A free slot has value 0, kind OBJECT_NONE, no rights. */
struct handle_entry {
    handle_t handle; /* the value that names this entry while it is in use, else 0 */
    union {
        struct object *object;
        uint64_t next_free; /* while free: the slot of the next free entry, 0 for none */
    };
    uint64_t badge; /* while free: the value of the next use, 0 if the slot has retired */
    union {
        struct {
            uint32_t rights;
            uint32_t kind;
        };
        uint64_t kind_and_rights; /* both at once */
    };
};

/* The array: `mask` is (entries - 1) * sizeof(struct handle_entry). */
struct handle_array {
    uint64_t mask;
    struct epoch_callback reclaim;
    struct handle_nodes *nodes; /* a node for each entry (grant.h) */
    struct handle_entry entry[];
};

struct handle_table {
    struct handle_array *array; /* published with release; read with interrupts off */
    struct spinlock lock;       /* guards everything here; innermost but for memory */
    uint32_t used GUARDED_BY(lock);
    uint32_t first_free GUARDED_BY(lock);         /* head of the free slots, 0 for none */
    struct handle_array *bigger GUARDED_BY(lock); /* what replaces `array` when all is copied */
    uint32_t copied GUARDED_BY(lock);             /* entries of `array` that are in `bigger` */
    /* Memory of the arrays; supplied by the owner (the domain's account). */
    void *(*allocate)(void *owner, size_t bytes);
    void (*release)(void *owner, void *memory, size_t bytes);
    void *owner;
};

/* An empty table with room for 31 handles. ERR_NO_MEMORY. */
status_t handle_table_init(struct handle_table *table, void *owner,
                           void *(*allocate)(void *owner, size_t bytes),
                           void (*release)(void *owner, void *memory, size_t bytes));

/* Close every handle and free the array. No reader without the lock may be left; with it, none
 * finds anything any more. */
void handle_table_destroy(struct handle_table *table);

/* Make a handle to `object` with `rights` and `badge`; takes a reference of its own. Constant time
 * under the lock: growth copies a bounded number of entries at a time. No lock may be held.
 * ERR_NO_SPACE (MAX_HANDLES), ERR_NO_MEMORY; *out is untouched on error. */
status_t handle_open(struct handle_table *table, struct object *object, rights_t rights,
                     uint64_t badge, handle_t *out);

/* Find the object behind a handle and take a reference for the caller. `badge` may be NULL.
 * ERR_BAD_HANDLE, ERR_WRONG_TYPE, ERR_NO_RIGHT (any bit of `rights` missing). */
status_t handle_get(struct handle_table *table, handle_t handle, enum object_kind kind,
                    rights_t rights, struct object **object, uint64_t *badge);

/*
 * The same without a lock or a reference, for objects that are freed after a grace period: valid while interrupts,
 * which are off, stay so. `badge` may be NULL. NULL: the handle does not name such an object with these rights; handle_get says why.
 */
static inline struct object *handle_peek_badge(const struct handle_table *table, handle_t handle,
                                               enum object_kind kind, rights_t rights,
                                               uint64_t *badge)
{
    /* relaxed, all: the array orders by its address; the fences order the looks at an entry (handle.c) */
    struct handle_array *array = atomic_load_relaxed(&table->array);
    uint64_t offset = (handle & 0xffffUL) * sizeof(struct handle_entry);

    if (__builtin_expect(array == NULL || offset > array->mask, 0)) {
        return NULL;
    }
    struct handle_entry *entry = (void *)((char *)array->entry + offset);
    if (__builtin_expect(atomic_load_relaxed(&entry->handle) != handle, 0)) {
        return NULL;
    }
    /* acquire: the entry is that of the value; pairs with the release in handle_fill */
    fence_acquire();
    struct object *object = atomic_load_relaxed(&entry->object);
    uint64_t kind_and_rights = atomic_load_relaxed(&entry->kind_and_rights);
    if (badge != NULL) {
        *badge = atomic_load_relaxed(&entry->badge);
    }
    /* acquire: and still was afterwards; pairs with the fence in handle_entry_clear */
    fence_acquire();
    if (__builtin_expect(atomic_load_relaxed(&entry->handle) != handle ||
                             kind_and_rights >> 32 != (uint64_t)kind ||
                             (kind_and_rights & rights) != rights,
                         0)) {
        return NULL;
    }
    return object;
}

static inline struct object *handle_peek(const struct handle_table *table, handle_t handle,
                                         enum object_kind kind, rights_t rights)
{
    return handle_peek_badge(table, handle, kind, rights, NULL);
}

/* As handle_get, for who needs to know what rights the handle has, and whether HANDLE_IS_COPY, not its badge. */
status_t handle_get_rights(struct handle_table *table, handle_t handle, enum object_kind kind,
                           rights_t rights, struct object **object, rights_t *has);

/* Close one handle. ERR_BAD_HANDLE. */
status_t handle_close(struct handle_table *table, handle_t handle);

/* A second handle with no more than the first one's rights. A `badge` other than 0
 * replaces the badge if the first one's is 0 and it has RIGHT_MANAGE. ERR_BAD_HANDLE,
 * ERR_NO_RIGHT (no RIGHT_DUPLICATE, a right that the first handle lacks, or no right to badge), ERR_NO_SPACE,
 * ERR_NO_MEMORY. */
status_t handle_duplicate(struct handle_table *table, handle_t handle, rights_t rights,
                          uint64_t badge, handle_t *out);

/* A handle to another object that gives access to the same thing as `handle` and so ends when that is revoked: a
 * part of its memory. ERR_BAD_HANDLE, ERR_NO_SPACE, ERR_NO_MEMORY. */
WARN_UNUSED status_t handle_open_from(struct handle_table *table, handle_t handle,
                                      struct object *object, rights_t rights, handle_t *out);

/*
 * A handle on its way from one table to another: what it names, with a reference. It stays where it is: others point
 * to it until it is dropped.
 */
struct handle_copy {
    struct grant_leaf leaf;
    struct object *object; /* NULL: nothing */
    uint64_t badge;
    rights_t rights;
};

/* What a handle names, to be passed on with `rights`. ERR_BAD_HANDLE. ERR_NO_RIGHT: it has no RIGHT_TRANSFER, or not all
 * of `rights`. */
WARN_UNUSED status_t handle_take_out(struct handle_table *table, handle_t handle, rights_t rights,
                                     struct handle_copy *copy);

/* A handle for it in another table; the copy keeps its reference. Errors as handle_open; ERR_STALE: it was
 * revoked on its way. */
WARN_UNUSED status_t handle_put_in(struct handle_table *table, struct handle_copy *copy,
                                   handle_t *out);

/* Another copy of a copy, which ends with it when it is revoked. */
void handle_copy_again(struct handle_copy *copy, struct handle_copy *other);

/* The copy is not needed any more. */
void handle_copy_drop(struct handle_copy *copy);

/* What is made through a handle (a mapping) ends when the handle is revoked from above; the leaf stays alone if nobody can
 * do that. ERR_BAD_HANDLE: it has been closed or revoked already. */
WARN_UNUSED status_t handle_attach_leaf(struct handle_table *table, handle_t handle,
                                        struct grant_leaf *leaf);

/*
 * End everything that was made from a handle: duplicates, what was sent, copies of those, mappings made through any
 * of them, but not the handle itself, nor mappings made through it. What is being copied meanwhile ends as well if the
 * copying began before. Interrupts are off for GRANT_ENDED_LOCKED ends at a time. ERR_BAD_HANDLE.
 */
WARN_UNUSED status_t handle_revoke(struct handle_table *table, handle_t handle);

#define GRANT_ENDED_LOCKED 16U

/* A step towards a free slot in a full table; nothing in another. handle_open calls it until there is
 * one. ERR_NO_SPACE, ERR_NO_MEMORY. */
status_t handle_table_grow_step(struct handle_table *table);

/* Handles in use. */
uint32_t handle_count(struct handle_table *table);
