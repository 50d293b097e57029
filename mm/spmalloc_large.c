/* SPDX-License-Identifier: MIT */
/*
 * Objects of more than half a page: whole pages, charged as such.
 *
 * The first frame's record is FRAME_LARGE and holds what freeing needs: `key` is the account,
 * `magic` the bytes asked for, and in debug builds `free` the call site.
 */
#include "arch/core.h"
#include "arch/irq.h"
#include "arch/layout.h"
#include "mm/fail.h"
#include "mm/nexus.h"
#include "mm/spmalloc_priv.h"

static unsigned order_of(size_t bytes)
{
    unsigned order = 0;

    while (((size_t)PAGE_BYTES << order) < bytes) {
        order++;
    }
    return order;
}

size_t large_bytes(size_t bytes)
{
    return (size_t)PAGE_BYTES << order_of(bytes);
}

static void count_here(int64_t pages)
{
    uint64_t state = irq_save();

    spmalloc_count_pages(core_index(), pages);
    irq_restore(state);
}

void *large_alloc(struct account *account, size_t bytes)
{
    unsigned order = order_of(bytes);

    if (fail_this_allocation() || account_charge_pages(account, 1UL << order) != OK) {
        return NULL;
    }
    paddr_t block = order == 0 ? nexus_alloc_page() : frame_alloc(order);
    if (block == FRAME_NONE) {
        account_uncharge_pages(account, 1UL << order);
        return NULL;
    }
    struct frame *frame = frame_of(block);
    frame->key = (uintptr_t)account;
    frame->magic = (uint32_t)bytes;
    frame->free = 0;
    frame_set_state(frame, FRAME_LARGE);
    count_here(1L << order);
    return direct_map(block);
}

void large_free(struct frame *frame, uintptr_t object)
{
    unsigned order = frame_order(frame);

    if (!IS_ALIGNED(object, PAGE_BYTES)) {
        panic_not_a_start(frame, object);
    }
    account_uncharge_pages((struct account *)(uintptr_t)frame->key, 1UL << order);
    count_here(-(1L << order));
    if (order == 0) {
        frame_set_state(frame, FRAME_PAGE);
        nexus_free_page(frame_address(frame));
    } else {
        frame_set_state(frame, FRAME_ALLOCATED);
        frame_free(frame_address(frame), order);
    }
}
