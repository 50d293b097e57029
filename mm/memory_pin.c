/* SPDX-License-Identifier: MIT */
/*
 * Pinning: pages that are there, are nobody else's, and stay so.
 */
#include "kernel/abi/limits.h"
#include "mm/memory_priv.h"

/* Makes the page there and writable, and counts one more pin. */
static status_t pin_page(struct memory *memory, uint64_t index)
{
    for (;;) {
        uint64_t state = memory_lock_save(memory);
        paddr_t page;
        bool writable;
        status_t status = memory_get_page_locked(memory, index, true, &page, &writable);

        if (status == OK) {
            uint64_t *word = memory_find_page_locked(memory, index);

            if ((*word & MEMORY_PAGE_PINS) == MEMORY_PAGE_PINS) {
                status = ERR_NO_SPACE;
            } else {
                *word += MEMORY_PAGE_PIN;
            }
        }
        memory_unlock_restore(memory, state);
        if (status == ERR_STALE) {
            status = memory_settle(memory, index, true);
            if (status == OK) {
                continue;
            }
        }
        return status;
    }
}

static bool range_ok(const struct memory *memory, uint64_t first, uint64_t pages)
{
    return pages > 0 && first < memory->pages && pages <= memory->pages - first;
}

/* False: it is not pinned. */
static bool unpin_page(struct memory *memory, uint64_t index)
{
    uint64_t state = memory_lock_save(memory);
    uint64_t *word = memory_find_page_locked(memory, index);
    bool pinned = word != NULL && (*word & MEMORY_PAGE_PINS) != 0;

    if (pinned) {
        *word -= MEMORY_PAGE_PIN;
    }
    memory_unlock_restore(memory, state);
    return pinned;
}

status_t memory_unpin(struct memory *memory, uint64_t first, uint64_t pages)
{
    if (!range_ok(memory, first, pages)) {
        return ERR_INVALID;
    }
    for (uint64_t done = 0; memory->kind == MEMORY_ANONYMOUS && done < pages; done++) {
        if (!unpin_page(memory, first + done)) {
            return ERR_NOT_FOUND;
        }
    }
    return OK;
}

status_t memory_pin(struct memory *memory, uint64_t first, uint64_t pages, paddr_t *physical)
{
    if (!range_ok(memory, first, pages)) {
        return ERR_INVALID;
    }
    *physical = memory->kind == MEMORY_ANONYMOUS ? 0 : memory->base + first * PAGE_BYTES;
    for (uint64_t done = 0; memory->kind == MEMORY_ANONYMOUS && done < pages; done++) {
        status_t status = pin_page(memory, first + done);

        if (status != OK) {
            while (done > 0) { /* another thread may have taken some of them back already */
                (void)unpin_page(memory, first + --done);
            }
            return status;
        }
    }
    return OK;
}
