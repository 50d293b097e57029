/* SPDX-License-Identifier: MIT */
/*
 * Between the parts of a memory object: where its pages are noted.
 *
 * Rules: only for mm/memory*.c. `_locked` as in memory.h.
 */
#pragma once

#include "mm/memory.h"

/* A record with nothing in it and one reference, or NULL. */
struct memory *memory_new(struct account *account, struct object *owner, uint64_t pages,
                          enum memory_kind kind);

/* Where page `index` is noted, or NULL when there is no node for it. */
uint64_t *memory_find_page_locked(struct memory *memory, uint64_t index);

/* The same; makes and charges the nodes. NULL: no memory. */
uint64_t *memory_make_page_locked(struct memory *memory, uint64_t index);

/* Levels of nodes that an object of so many pages needs. */
uint8_t memory_levels(uint64_t pages);

/* Drops every page and node of an anonymous object. */
void memory_free_pages(struct memory *memory);

/* True when the frame belongs to other objects, too. */
bool memory_is_shared(uint64_t page);
