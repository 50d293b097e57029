/* SPDX-License-Identifier: MIT */
/*
 * Set-up of the frame allocator from explicit ranges: carves each bank's frame records out of
 * the bank and frees what is neither reserved nor carved.
 */
#include <string.h>

#include "arch/layout.h"
#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "mm/frame_priv.h"

struct reserved_set {
    const struct frame_range *range;
    unsigned count;
};

/* [start, end), page-aligned. */
struct span {
    paddr_t start;
    paddr_t end;
};

/* Pages that the range touches at all; saturates instead of wrapping. */
static struct span cover_pages(const struct frame_range *range)
{
    paddr_t end = range->start + range->bytes;

    if (end < range->start || end > UINT64_MAX - PAGE_BYTES) {
        end = UINT64_MAX - PAGE_BYTES;
    }
    return (struct span){ALIGN_DOWN(range->start, PAGE_BYTES), ALIGN_UP(end, PAGE_BYTES)};
}

/* Whole pages inside the range. Physical page 0 is left out: its address means "none". */
static struct span inside_pages(const struct frame_range *range)
{
    paddr_t start = ALIGN_UP(max_u64(range->start, 1), PAGE_BYTES);
    paddr_t end = ALIGN_DOWN(range->start + range->bytes, PAGE_BYTES);

    return (struct span){start, max_u64(start, end)};
}

/* The first unreserved span at or after `from` within `end`; false when there is none. */
static bool next_free_span(const struct reserved_set *reserved, paddr_t from, paddr_t end,
                           struct span *span)
{
    bool moved = true;

    while (moved) { /* past every reserved range that covers `from`, in whatever order */
        moved = false;
        for (unsigned i = 0; i < reserved->count; i++) {
            struct span taken = cover_pages(&reserved->range[i]);

            if (taken.start <= from && from < taken.end) {
                from = taken.end;
                moved = true;
            }
        }
    }
    if (from >= end) {
        return false;
    }
    for (unsigned i = 0; i < reserved->count; i++) {
        struct span taken = cover_pages(&reserved->range[i]);

        if (taken.start > from && taken.start < end && taken.end > taken.start) {
            end = taken.start;
        }
    }
    *span = (struct span){from, end};
    return true;
}

/* Where the bank's records go: the first free span that is large enough, or FRAME_NONE. */
static paddr_t find_room(const struct reserved_set *reserved, struct span bank, uint64_t bytes)
{
    struct span span = {bank.start, bank.start};

    while (next_free_span(reserved, span.end, bank.end, &span)) {
        if (span.end - span.start >= bytes) {
            return span.start;
        }
    }
    return FRAME_NONE;
}

static void add_bank(const struct reserved_set *reserved, struct span bank)
{
    uint64_t pages = (bank.end - bank.start) / PAGE_BYTES;
    uint64_t bytes = ALIGN_UP(pages * sizeof(struct frame), PAGE_BYTES);
    paddr_t records = find_room(reserved, bank, bytes);
    struct span span = {bank.start, bank.start};

    if (pages == 0 || records == FRAME_NONE) {
        return; /* a bank too small for its own records is of no use */
    }
    frame_banks[frame_bank_count++] = (struct bank){bank.start, pages, direct_map(records)};
    memset(direct_map(records), 0, bytes); /* every frame FRAME_OTHER */
    while (next_free_span(reserved, span.end, bank.end, &span)) {
        paddr_t start = span.start == records ? records + bytes : span.start;

        if (start < span.end) {
            frame_add_run(start, (span.end - start) / PAGE_BYTES);
        }
    }
}

void frame_init_ranges(const struct frame_range *banks, unsigned bank_count,
                       const struct frame_range *reserved, unsigned reserved_count)
{
    const struct reserved_set set = {reserved, reserved_count};

    frame_reset();
    BUG_ON(bank_count > FRAME_MAX_BANKS);
    for (unsigned i = 0; i < bank_count; i++) {
        add_bank(&set, inside_pages(&banks[i]));
    }
    BUG_ON(frame_free_pages() == 0);
}
