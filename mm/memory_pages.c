/* SPDX-License-Identifier: MIT */
/*
 * Where the pages of an anonymous object are noted: in the record while they are few, else in a tree
 * of nodes with 512 words each, of a depth that the size decides once.
 */
#include "arch/layout.h"
#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/memory_priv.h"
#include "mm/nexus.h"

/* Pages below one word of a node with `below` levels of nodes under it. */
static uint64_t pages_below(unsigned below)
{
    return 1UL << (MEMORY_NODE_BITS * below);
}

uint8_t memory_levels(uint64_t pages)
{
    uint8_t levels = 0;

    if (pages > MEMORY_INLINE_PAGES) {
        do {
            levels++;
        } while (pages > pages_below(levels));
    }
    return levels;
}

paddr_t memory_take_page_locked(struct memory *memory)
{
    paddr_t page;

    if (account_charge_pages(memory->account, 1) != OK) {
        return FRAME_NONE;
    }
    page = nexus_alloc_page_zeroed();
    if (page == FRAME_NONE) {
        account_uncharge_pages(memory->account, 1);
        return FRAME_NONE;
    }
    memory->charged++;
    return page;
}

uint64_t *memory_make_page_locked(struct memory *memory, uint64_t index)
{
    return memory_walk_locked(memory, index, true);
}

status_t memory_get_page_locked(struct memory *memory, uint64_t index, bool write, paddr_t *page,
                                bool *writable)
{
    uint64_t *word;

    ASSERT(index < memory->pages);
    *writable = true;
    if (memory->kind != MEMORY_ANONYMOUS) {
        *page = memory->base + index * PAGE_BYTES;
        return OK;
    }
    word = memory_make_page_locked(memory, index);
    if (word == NULL) {
        return ERR_NO_MEMORY;
    }
    if (*word == 0) {
        *word = memory_take_page_locked(memory);
        *page = *word;
        return *word == 0 ? ERR_NO_MEMORY : OK;
    }
    if ((*word & MEMORY_PAGE_STALE) != 0) {
        return ERR_STALE;
    }
    if (!memory->is_private && memory_is_shared(*word)) {
        if (write) {
            return ERR_STALE;
        }
        *writable = false;
    }
    *page = *word & MEMORY_PAGE_ADDRESS;
    return OK;
}

uint64_t memory_discard_locked(struct memory *memory, uint64_t first, uint64_t pages)
{
    uint64_t index = first;
    uint64_t freed = 0;

    for (; index < first + pages; index++) {
        uint64_t *word = memory_find_page_locked(memory, index);

        if (word == NULL) { /* nor is any other page of that node there */
            index |= MEMORY_NODE_WORDS - 1;
        } else if (*word != 0) {
            nexus_free_page(*word & MEMORY_PAGE_ADDRESS);
            *word = 0;
            freed++;
        }
    }
    memory->charged -= freed;
    account_uncharge_pages(memory->account, freed);
    return index - first;
}

/* Drops the node and all that hangs below it; at most three levels deep. */
static void free_node(paddr_t node, unsigned below)
{
    const uint64_t *words = direct_map(node);

    for (unsigned i = 0; i < MEMORY_NODE_WORDS; i++) {
        if (words[i] == 0) {
            continue;
        }
        if (below > 0) {
            free_node(words[i], below - 1);
        } else {
            nexus_release_page(words[i] & MEMORY_PAGE_ADDRESS);
        }
    }
    nexus_free_page(node);
}

void memory_free_pages(struct memory *memory)
{
    if (memory->levels > 0) {
        if (memory->root != 0) {
            free_node(memory->root, memory->levels - 1U);
        }
    } else {
        for (unsigned i = 0; i < memory->pages; i++) {
            if (memory->page[i] != 0) {
                nexus_release_page(memory->page[i] & MEMORY_PAGE_ADDRESS);
            }
        }
    }
    account_uncharge_pages(memory->account, memory->charged);
}
