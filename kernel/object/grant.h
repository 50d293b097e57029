/* SPDX-License-Identifier: MIT */
/*
 * Who was copied from whom: a forest over handles and what else was made through a handle.
 *
 * Rules: a node lies beside each entry of a handle table, or in a struct grant_leaf (a copy on its way in a
 * message, a mapping); all zero means that it was not copied and is no copy. Nodes name each other by table and
 * slot, so that tables may grow. All is guarded by one lock, `grant_lock`, which is taken before those of
 * tables and held for a bounded number of steps. Who goes leaves his copies to whom he was copied from, so
 * a node can be revoked with all that descends from it. Nothing here is looked at when a handle is used.
 */
#pragma once

#include "kernel/base/types.h"
#include "kernel/object/object.h"
#include "kernel/sync/spinlock.h"

struct handle_table;
struct grant_leaf;

/* A node's name: the address of the table and the slot; slot 0: the address of the node itself. 0: none. */
typedef uint64_t grant_ref_t;

struct grant_node {
    grant_ref_t first; /* the newest copy, and the oldest */
    grant_ref_t last;
    grant_ref_t
        next; /* the next older copy of the same one; of the oldest: the one it was copied from */
    grant_ref_t previous; /* likewise the next newer one */
};

/* What a revoke does to a leaf, besides marking it. */
struct grant_leaf_class {
    /* Under grant_lock; the object is kept until `settle`. */
    struct object *(*revoke)(struct grant_leaf *leaf);
    void (*settle)(struct object *object); /* nothing is locked */
};

struct grant_leaf {
    struct grant_node node;
    const struct grant_leaf_class *class; /* or NULL */
    bool revoked;                         /* under grant_lock */
};

extern struct spinlock grant_lock; /* guards the forest; the locks of tables inside */

static inline bool grant_node_is_alone(const struct grant_node *node)
{
    return (node->first | node->next | node->previous) == 0;
}

grant_ref_t grant_ref_of_slot(const struct handle_table *table, uint32_t slot);

static inline grant_ref_t grant_ref_of_leaf(const struct grant_leaf *leaf)
{
    return (uint64_t)&leaf->node << 16;
}

/* The leaf, or NULL when it is a slot. */
struct grant_leaf *grant_leaf_of(grant_ref_t ref);

/* The table and the slot of a node that is no leaf. */
struct handle_table *grant_table_of(grant_ref_t ref, uint32_t *slot);

/* `child`, which is alone, was copied from `parent`. */
void grant_add(grant_ref_t parent, grant_ref_t child) REQUIRES(grant_lock);

/* `other`, which is alone, is from the same as `ref`, which is from something. */
void grant_add_beside(grant_ref_t ref, grant_ref_t other) REQUIRES(grant_lock);

/* Out of the forest; its copies take its place. */
void grant_remove(grant_ref_t ref) REQUIRES(grant_lock);

/* `leaf`, which is alone, takes all copies of `ref` over. */
void grant_take_copies(grant_ref_t ref, struct grant_leaf *leaf) REQUIRES(grant_lock);

/* `leaf` was split: `other` is a second part of it, revoked if it is. Any context, grant_lock free. */
void grant_split_leaf(struct grant_leaf *leaf, struct grant_leaf *other);

/* The leaf ends. As above; cheap when it is alone. */
void grant_drop_leaf(struct grant_leaf *leaf);
