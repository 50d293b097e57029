/* SPDX-License-Identifier: MIT */
/*
 * The forest of copies.
 *
 * The copies of one node are a list whose two ends point back at the node: so the neighbours of a node that goes
 * can be told apart (a parent's `first` or `last` is the node, a neighbour's never is) and no copy needs to know
 * the node it was copied from. To put a node's copies in its place takes as many steps whatever their number. The ends
 * of the list of a node that had no parent itself point nowhere after it has gone.
 */
#include "kernel/object/grant.h"

#include "kernel/base/atomic.h"
#include "kernel/object/handle_priv.h"

#define SLOT_MASK HANDLE_SLOT_MASK

struct spinlock grant_lock = SPINLOCK_INIT("grants");

grant_ref_t grant_ref_of_slot(const struct handle_table *table, uint32_t slot)
{
    return (uint64_t)table << HANDLE_SLOT_BITS | slot;
}

/* Addresses have 48 bits at most; the upper ones are like bit 47. */
static void *address_of(grant_ref_t ref)
{
    return (void *)(uint64_t)((int64_t)ref >> HANDLE_SLOT_BITS);
}

struct grant_leaf *grant_leaf_of(grant_ref_t ref)
{
    return (ref & SLOT_MASK) != 0 ? NULL : container_of(address_of(ref), struct grant_leaf, node);
}

struct handle_table *grant_table_of(grant_ref_t ref, uint32_t *slot)
{
    *slot = (uint32_t)(ref & SLOT_MASK);
    return address_of(ref);
}

static struct grant_node get(grant_ref_t ref) REQUIRES(grant_lock)
{
    struct handle_table *table = address_of(ref);

    if ((ref & SLOT_MASK) == 0) {
        return *(struct grant_node *)address_of(ref);
    }
    spin_lock(&table->lock);
    struct grant_node node = *handle_node(table->array, (uint32_t)(ref & SLOT_MASK));
    spin_unlock(&table->lock);
    return node;
}

static void set(grant_ref_t ref, struct grant_node node) REQUIRES(grant_lock)
{
    struct handle_table *table = address_of(ref);
    uint32_t slot = (uint32_t)(ref & SLOT_MASK);

    if (slot == 0) {
        *(struct grant_node *)address_of(ref) = node;
        return;
    }
    spin_lock(&table->lock);
    *handle_node(table->array, slot) = node;
    if (slot < table->copied) {
        *handle_node(table->bigger, slot) = node;
    }
    spin_unlock(&table->lock);
}

void grant_add(grant_ref_t parent, grant_ref_t child)
{
    struct grant_node above = get(parent);
    struct grant_node node = {.next = parent, .previous = parent};

    if (above.first != 0) {
        struct grant_node older = get(above.first);

        older.previous = child;
        set(above.first, older);
        node.next = above.first;
    } else {
        above.last = child;
    }
    above.first = child;
    set(parent, above);
    set(child, node);
}

void grant_add_beside(grant_ref_t ref, grant_ref_t other)
{
    struct grant_node node = get(ref);
    struct grant_node behind = {.previous = ref, .next = node.next};

    if (node.next != 0) {
        struct grant_node next = get(node.next);

        if (next.last == ref) {
            next.last = other;
        } else {
            next.previous = other;
        }
        set(node.next, next);
    }
    node.next = other;
    set(ref, node);
    set(other, behind);
}

/* What was before `ref` has `first` behind it now; `up`: ref's list is empty, and both its ends were one. */
static void join_before(grant_ref_t before, grant_ref_t ref, grant_ref_t first, bool up)
    REQUIRES(grant_lock)
{
    if (before != 0) {
        struct grant_node node = get(before);

        if (node.first == ref) {
            node.first = up ? 0 : first;
        } else {
            node.next = first;
        }
        set(before, node);
    }
}

static void join_behind(grant_ref_t behind, grant_ref_t ref, grant_ref_t last, bool up)
    REQUIRES(grant_lock)
{
    if (behind != 0) {
        struct grant_node node = get(behind);

        if (node.last == ref) {
            node.last = up ? 0 : last;
        } else {
            node.previous = last;
        }
        set(behind, node);
    }
}

void grant_remove(grant_ref_t ref)
{
    struct grant_node node = get(ref);

    if (node.first != 0) {
        struct grant_node end = get(node.first);

        end.previous = node.previous;
        set(node.first, end);
        end = get(node.last);
        end.next = node.next;
        set(node.last, end);
        join_before(node.previous, ref, node.first, false);
        join_behind(node.next, ref, node.last, false);
    } else {
        bool alone = node.next == node.previous; /* the only copy of its parent, or of none */

        join_before(node.previous, ref, node.next, alone);
        join_behind(node.next, ref, node.previous, alone);
    }
    set(ref, (struct grant_node){0});
}

void grant_take_copies(grant_ref_t ref, struct grant_leaf *leaf)
{
    grant_ref_t new = grant_ref_of_leaf(leaf);
    struct grant_node node = get(ref);

    if (node.first != 0) {
        struct grant_node end = get(node.first);

        leaf->node.first = node.first;
        leaf->node.last = node.last;
        end.previous = new;
        set(node.first, end);
        end = get(node.last);
        end.next = new;
        set(node.last, end);
        node.first = 0;
        node.last = 0;
        set(ref, node);
    }
}

void grant_split_leaf(struct grant_leaf *leaf, struct grant_leaf *other)
{
    uint64_t state = spin_lock_save(&grant_lock);

    other->node = (struct grant_node){0};
    other->class = leaf->class;
    other->revoked = leaf->revoked;
    if (!grant_node_is_alone(&leaf->node)) {
        grant_add_beside(grant_ref_of_leaf(leaf), grant_ref_of_leaf(other));
    }
    spin_unlock_restore(&grant_lock, state);
}

void grant_drop_leaf(struct grant_leaf *leaf)
{
    uint64_t state = spin_lock_save(&grant_lock);

    if (!grant_node_is_alone(&leaf->node)) {
        grant_remove(grant_ref_of_leaf(leaf));
    }
    spin_unlock_restore(&grant_lock, state);
}
