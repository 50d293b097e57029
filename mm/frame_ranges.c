/* SPDX-License-Identifier: MIT */
/*
 * Set-up of the frame allocator from explicit ranges: carves each bank's frame records out of
 * the bank, maps them into the frame window, and frees what is neither reserved nor carved.
 *
 * The window is mapped in pages. Two banks that share a page of it (their ends are within 64 page
 * frames of each other) share the one that the first of them mapped.
 */
#include "arch/layout.h"
#include "arch/mmu.h"
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

/* Records at least this large are mapped in leaves of this size. */
#define LARGE_LEAF_BYTES MMU_LEVEL_BYTES(1)

/* The pages of the window that hold the bank's records and are not mapped yet. */
static struct span window_pages(const struct bank *bank)
{
    vaddr_t first = (vaddr_t)frame_of(bank->base);
    struct span window = {ALIGN_DOWN(first, PAGE_BYTES),
                          ALIGN_UP(first + bank->pages * sizeof(struct frame), PAGE_BYTES)};

    for (unsigned i = 0; i < frame_bank_count; i++) {
        const struct bank *other = &frame_banks[i];
        vaddr_t start = (vaddr_t)frame_of(other->base);
        vaddr_t last = start + other->pages * sizeof(struct frame) - 1;

        if (ALIGN_DOWN(last, PAGE_BYTES) == window.start) {
            window.start += PAGE_BYTES;
        }
        if (ALIGN_DOWN(start, PAGE_BYTES) + PAGE_BYTES == window.end) {
            window.end -= PAGE_BYTES;
        }
    }
    window.end = max_u64(window.start, window.end);
    return window;
}

/*
 * Where the records go that appear at `window`: the first free span with room, at an address that
 * large leaves can map if there is one; FRAME_NONE if there is no room at all.
 */
static paddr_t find_room(const struct reserved_set *reserved, struct span bank, struct span window)
{
    uint64_t bytes = window.end - window.start;
    uint64_t alignment = bytes >= LARGE_LEAF_BYTES ? LARGE_LEAF_BYTES : PAGE_BYTES;

    for (;; alignment = PAGE_BYTES) {
        struct span span = {bank.start, bank.start};
        uint64_t phase = window.start % alignment;

        while (next_free_span(reserved, span.end, bank.end, &span)) {
            paddr_t start = ALIGN_UP(span.start - phase, alignment) + phase;

            if (start <= span.end && span.end - start >= bytes) {
                return start;
            }
        }
        if (alignment == PAGE_BYTES) {
            return FRAME_NONE;
        }
    }
}

/* Frees a span of the bank. */
static void free_span(const struct bank *bank, paddr_t start, paddr_t end)
{
    buddy_add_run(&frame_nodes[bank->node], bank->node, start, (end - start) / PAGE_BYTES);
}

/* Writes the records of a span that is never free. */
static void clear_span(const struct bank *bank, paddr_t start, paddr_t end)
{
    for (paddr_t at = start; at < end; at += PAGE_BYTES) {
        frame_clear_record(frame_of(at), bank->node);
    }
}

/* Frees what of the bank is neither reserved nor in the records' span. */
static void free_rest(const struct reserved_set *reserved, const struct bank *bank,
                      struct span records)
{
    paddr_t bank_end = bank->base + bank->pages * PAGE_BYTES;
    struct span span = {bank->base, bank->base};
    paddr_t done = bank->base;

    while (next_free_span(reserved, span.end, bank_end, &span)) {
        clear_span(bank, done, span.start);
        done = span.end;
        if (records.start < span.start || records.start >= span.end) {
            free_span(bank, span.start, span.end);
            continue;
        }
        free_span(bank, span.start, records.start);
        clear_span(bank, records.start, records.end);
        free_span(bank, records.end, span.end);
    }
    clear_span(bank, done, bank_end);
}

static void add_bank(const struct reserved_set *reserved, struct span pages, uint32_t node)
{
    struct bank bank = {pages.start, (pages.end - pages.start) / PAGE_BYTES, node};
    struct span window = window_pages(&bank);
    uint64_t bytes = window.end - window.start;
    paddr_t records = find_room(reserved, pages, window);

    if (bank.pages == 0 || records == FRAME_NONE) {
        return; /* a bank too small for its own records is of no use */
    }
    mmu_map_frame_window(window.start, records, bytes);
    if (frame_bank_count == 0) {
        frame_first_bank_base = bank.base;
        frame_first_bank_bytes = bank.pages * PAGE_BYTES;
    }
    frame_banks[frame_bank_count++] = bank;
    free_rest(reserved, &bank, (struct span){records, records + bytes});
}

void frame_init_ranges(const struct frame_range *banks, unsigned bank_count,
                       const struct frame_range *reserved, unsigned reserved_count)
{
    const struct reserved_set set = {reserved, reserved_count};

    frame_reset();
    BUG_ON(bank_count > FRAME_MAX_BANKS);
    for (unsigned i = 0; i < bank_count; i++) {
        add_bank(&set, inside_pages(&banks[i]), banks[i].node);
    }
    frame_settle();
    BUG_ON(frame_free_pages() == 0);
}
