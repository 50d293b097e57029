/* SPDX-License-Identifier: MIT */
/*
 * Between the parts of a memory object: where its pages are noted.
 *
 * Rules: only for mm/memory*.c and what includes mm/vspace_page_priv.h. `_locked` as in memory.h.
 */
#pragma once

#include "arch/layout.h"
#include "mm/memory.h"
#include "mm/nexus.h"

#define MEMORY_NODE_BITS 9U
#define MEMORY_NODE_WORDS (1UL << MEMORY_NODE_BITS)

/* A record with nothing in it and one reference, or NULL. */
struct memory *memory_new(struct account *account, struct object *owner, uint64_t pages,
                          enum memory_kind kind);

/* A zeroed page that the object is charged for, or FRAME_NONE. */
WARN_UNUSED paddr_t memory_take_page_locked(struct memory *memory);

/* Where page `index` of an anonymous object is noted. NULL: a node on the way is missing and not to be
 * made, or there is no memory for it. */
static inline uint64_t *memory_walk_locked(struct memory *memory, uint64_t index, bool make)
{
    uint64_t *word = &memory->root;

    if (memory->levels == 0) {
        return &memory->page[index];
    }
    for (unsigned below = memory->levels; below-- > 0;) {
        uint64_t *words;

        if (*word == 0 && (!make || (*word = memory_take_page_locked(memory)) == FRAME_NONE)) {
            return NULL;
        }
        words = direct_map(*word);
        word = &words[index >> (MEMORY_NODE_BITS * below) & (MEMORY_NODE_WORDS - 1)];
    }
    return word;
}

/* NULL when there is no node for it. */
static inline uint64_t *memory_find_page_locked(struct memory *memory, uint64_t index)
{
    return memory_walk_locked(memory, index, false);
}

/* The same; makes and charges the nodes. NULL: no memory. */
uint64_t *memory_make_page_locked(struct memory *memory, uint64_t index);

/* Levels of nodes that an object of so many pages needs. */
uint8_t memory_levels(uint64_t pages);

/* Drops every page and node of an anonymous object. */
void memory_free_pages(struct memory *memory);

/* True when the frame belongs to other objects, too. */
static inline bool memory_is_shared(uint64_t page)
{
    if (nexus_page_references(page & MEMORY_PAGE_ADDRESS) != 1) {
        return true;
    }
    /* acquire: another object's copy of the frame was read before it let go of it, and comes before
     * what we write now; pairs with the release in nexus_release_page */
    fence_acquire();
    return false;
}
