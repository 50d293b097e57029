/* SPDX-License-Identifier: MIT */
/*
 * Pages straight from the buddy allocator, with their reference counts.
 */
#include "mm/nexus.h"

#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/tlb_record.h"

paddr_t nexus_alloc_page(void)
{
    paddr_t page = frame_alloc(0);

    if (page != FRAME_NONE) {
        frame_find(page)->references = 1;
    }
    return page;
}

paddr_t nexus_alloc_page_zeroed(void)
{
    paddr_t page = frame_alloc_zeroed(0);

    if (page != FRAME_NONE) {
        frame_find(page)->references = 1;
    }
    return page;
}

void nexus_free_page(paddr_t page)
{
    BUG_ON(nexus_page_references(page) != 1);
    tlb_record_check_free(page, PAGE_BYTES);
    frame_free(page, 0);
}

void nexus_retain_page(paddr_t page)
{
    /* relaxed: the caller's own reference keeps the page */
    uint32_t before = atomic_add_relaxed(&frame_find(page)->references, 1U);

    BUG_ON(before == 0 || before == UINT32_MAX);
}

void nexus_release_page(paddr_t page)
{
    /* acq_rel: our accesses come before the reuse; pairs with itself on the other cores */
    uint32_t before = atomic_sub_acq_rel(&frame_find(page)->references, 1U);

    BUG_ON(before == 0);
    if (before == 1) {
        tlb_record_check_free(page, PAGE_BYTES);
        frame_free(page, 0);
    }
}

uint32_t nexus_page_references(paddr_t page)
{
    /* relaxed: advice, or the caller holds what keeps others from changing it */
    return atomic_load_relaxed(&frame_find(page)->references);
}
