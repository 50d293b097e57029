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
#include "mm/drain.h"
#include "mm/fail.h"
#include "mm/nexus.h"
#include "mm/spmalloc_priv.h"

#define COLLECT_LARGE 256U /* objects and pages that an allocation which finds no block takes in */

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

/* What this core and those that sleep have free goes to mm/frame: quota, and whole blocks again. */
static void bring_home(void)
{
    uint64_t state = irq_save();
    cpu_t cpu = core_index();

    (void)spmalloc_collect_some(cpu, COLLECT_LARGE);
    spmalloc_trim_core(cpu);
    (void)nexus_collect_some(cpu, COLLECT_LARGE);
    (void)nexus_trim_some(cpu, COLLECT_LARGE);
    (void)drain_sleepers();
    irq_restore(state);
}

static paddr_t take_block(struct account *account, unsigned order)
{
    paddr_t block = FRAME_NONE;

    if (account_charge_pages(account, 1UL << order) == OK) {
        block = order == 0 ? nexus_alloc_page() : frame_alloc(order);
        if (block == FRAME_NONE) {
            account_uncharge_pages(account, 1UL << order);
        }
    }
    return block;
}

void *large_alloc(struct account *account, size_t bytes)
{
    unsigned order = order_of(bytes);
    bool may_fail = fail_is_near(); /* a failure that a test wants is to show */
    paddr_t block;

    if (fail_this_allocation()) {
        return NULL;
    }
    block = take_block(account, order);
    if (block == FRAME_NONE && !may_fail) {
        bring_home();
        block = take_block(account, order);
    }
    if (block == FRAME_NONE) {
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
