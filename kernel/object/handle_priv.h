/* SPDX-License-Identifier: MIT */
/*
 * Shared by the look-up of handles and the growth of their table.
 *
 * Rules: as in handle.h.
 */
#pragma once

#include "kernel/object/handle.h"

#define HANDLE_SLOT_BITS 16
#define HANDLE_SLOT_MASK 0xffffUL
#define HANDLE_GENERATION_ONE (1UL << HANDLE_SLOT_BITS)

static inline size_t handle_array_bytes(uint32_t count)
{
    return sizeof(struct handle_array) + count * sizeof(struct handle_entry);
}

/* Beside the array, in memory of its own: both together would be more than one allocation may have. */
struct handle_nodes {
    struct handle_table *table; /* of an array that is being reclaimed */
    struct grant_node node[];
};

static inline size_t handle_nodes_bytes(uint32_t count)
{
    return sizeof(struct handle_nodes) + count * sizeof(struct grant_node);
}

/* Give an array back. */
void handle_array_free(struct handle_table *table, struct handle_array *array);

static inline uint32_t handle_array_count(const struct handle_array *array)
{
    return (uint32_t)(array->mask / sizeof(struct handle_entry)) + 1;
}

/* The node of a slot. */
static inline struct grant_node *handle_node(struct handle_array *array, uint32_t slot)
{
    return &array->nodes->node[slot];
}

/* The entry that a handle names, or NULL. */
struct handle_entry *handle_lookup(struct handle_table *table, handle_t handle)
    REQUIRES(table->lock);

/* Take an entry out of use; returns the object whose reference the caller now owns. Its node is alone. */
struct object *handle_entry_clear(struct handle_table *table, struct handle_entry *entry)
    REQUIRES(table->lock);

/* Make a free slot the caller's, who fills it or gives it back. ERR_NO_SPACE, ERR_NO_MEMORY. */
WARN_UNUSED status_t handle_reserve(struct handle_table *table, uint32_t *slot);
void handle_unreserve(struct handle_table *table, uint32_t slot);

/* The slot becomes a handle with a new reference to the object. */
handle_t handle_fill(struct handle_table *table, uint32_t slot, struct object *object,
                     rights_t rights, uint64_t badge) REQUIRES(table->lock);

/* Close the handle in a slot whose node is not alone; NULL: somebody else has. */
struct object *handle_close_copied(struct handle_table *table, handle_t handle);

/* An array of `count` free entries, of which those from `first` on are linked in order; NULL when
 * there is no memory. */
struct handle_array *handle_array_make(struct handle_table *table, uint32_t count, uint32_t first);
