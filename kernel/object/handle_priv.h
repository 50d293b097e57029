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

static inline uint32_t handle_array_count(const struct handle_array *array)
{
    return (uint32_t)(array->mask / sizeof(struct handle_entry)) + 1;
}

/* An array of `count` free entries, of which those from `first` on are linked in order; NULL when
 * there is no memory. */
struct handle_array *handle_array_make(struct handle_table *table, uint32_t count, uint32_t first);
