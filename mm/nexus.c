/* SPDX-License-Identifier: MIT */
/*
 * Each core's stock of free pages: the fast paths, and references.
 *
 * Problem: a lock around all pages makes cores wait for each other and their cache lines travel.
 * Choice: a core takes pages from mm/frame in batches and hands them out itself; with interrupts
 * off nobody else touches its stock, so there is no lock and no atomic operation. A page remembers
 * the nexus that it came from and goes back there, by message when another core frees it
 * (nexus_remote.c); an owner that sleeps is helped (drain.c).
 *
 * One 64-bit number of the record, state, order, owner and references, is compared and written at
 * once: that is the whole test for a double free, a foreign page and a page still shared.
 * These functions are leaves and compiled without frame pointers; the slow ones are tail calls.
 */
#include "mm/nexus.h"

#include "arch/core.h"
#include "arch/irq.h"
#include "arch/layout.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/fail.h"
#include "mm/nexus_priv.h"
#include "mm/tlb_record.h"

struct nexus nexuses[MAX_CORES];

/* For an assertion of debug builds. */
static inline bool page_is_zero(const uint64_t *words)
{
    for (unsigned i = 0; i < PAGE_BYTES / sizeof *words; i++) {
        if (words[i] != 0) {
            return false;
        }
    }
    return true;
}

paddr_t nexus_alloc_page(void)
{
    uint64_t state = irq_save_whole();
    struct nexus *nexus = &nexuses[core_index_wide()];
    struct remote_node *node = nexus->free;
    struct frame *frame = container_of(node, struct frame, home);

    if (__builtin_expect(node == NULL || fail_is_near(), 0)) {
        return nexus_alloc_slow(nexus, state);
    }
    if (__builtin_expect(frame->word != nexus->cached_word, 0)) {
        nexus_panic("a free page was written to", frame);
    }
    nexus->free = node->next;
    nexus_set_cached(nexus, nexus->cached - 1);
    /* relaxed: as in nexus_push */
    atomic_store_relaxed(&frame->word, nexus->page_word);
    irq_restore_whole(state);
    return frame_address(frame);
}

void nexus_free_page(paddr_t page)
{
    tlb_record_check_free(page, PAGE_BYTES);

    uint64_t state = irq_save_whole();
    struct nexus *nexus = &nexuses[core_index_wide()];
    struct frame *frame = frame_of(page);

    if (__builtin_expect(frame->word != nexus->page_word, 0)) {
        nexus_free_slow(frame, state);
        return;
    }
    if (__builtin_expect(nexus_push(nexus, frame) > nexus->high, 0)) {
        nexus_shed(nexus, state);
        return;
    }
    irq_restore_whole(state);
}

void nexus_free_zeroed_page(paddr_t page)
{
    uint64_t state = irq_save_whole();
    struct nexus *nexus = &nexuses[core_index_wide()];
    struct frame *frame = frame_of(page);

    BUG_ON(BATON_DEBUG && !page_is_zero(direct_map(page)));
    if (nexus->zeroed_count >= NEXUS_ZEROED_PAGES || frame->word != nexus->page_word) {
        irq_restore_whole(state);
        nexus_free_page(page);
        return;
    }
    tlb_record_check_free(page, PAGE_BYTES);
    /* relaxed: as in nexus_push */
    atomic_store_relaxed(&frame->word, nexus->cached_word);
    frame->home.next = nexus->zeroed;
    nexus->zeroed = &frame->home;
    nexus_set_zeroed(nexus, nexus->zeroed_count + 1);
    irq_restore_whole(state);
}

#define ZERO_8(n)                                                                                  \
    next[(n)] = next[(n) + 1] = next[(n) + 2] = next[(n) + 3] = next[(n) + 4] = next[(n) + 5] =    \
        next[(n) + 6] = next[(n) + 7] = 0

#define ZERO_64(n)                                                                                 \
    ZERO_8(n);                                                                                     \
    ZERO_8((n) + 8);                                                                               \
    ZERO_8((n) + 16);                                                                              \
    ZERO_8((n) + 24);                                                                              \
    ZERO_8((n) + 32);                                                                              \
    ZERO_8((n) + 40);                                                                              \
    ZERO_8((n) + 48);                                                                              \
    ZERO_8((n) + 56)

/* 128 stores a turn: 520 instructions a page. */
static inline void zero_page(void *page)
{
    typedef uint64_t __attribute__((may_alias)) word_t;
    word_t *next = page;
    word_t *end = next + PAGE_BYTES / sizeof *next;

    do {
        __asm__ volatile("" : "+r"(end)); /* else the compiler makes it a call of memset */
        ZERO_64(0);
        ZERO_64(64);
        next += 128;
    } while (next != end);
}

paddr_t nexus_alloc_page_zeroed(void)
{
    uint64_t state = irq_save_whole();
    struct nexus *nexus = &nexuses[core_index_wide()];
    bool is_zero = nexus->zeroed != NULL;
    struct remote_node *node = is_zero ? nexus->zeroed : nexus->free;
    struct frame *frame = container_of(node, struct frame, home);
    paddr_t page;

    if (__builtin_expect(node == NULL || fail_is_near(), 0)) {
        page = nexus_alloc_slow(nexus, state);
        if (page != FRAME_NONE) {
            zero_page(direct_map(page));
        }
        return page;
    }
    if (__builtin_expect(frame->word != nexus->cached_word, 0)) {
        nexus_panic("a free page was written to", frame);
    }
    if (is_zero) {
        nexus->zeroed = node->next;
        nexus_set_zeroed(nexus, nexus->zeroed_count - 1);
    } else {
        nexus->free = node->next;
        nexus_set_cached(nexus, nexus->cached - 1);
    }
    /* relaxed: as in nexus_push */
    atomic_store_relaxed(&frame->word, nexus->page_word);
    irq_restore_whole(state);
    page = frame_address(frame);
    if (!is_zero) {
        zero_page(direct_map(page));
    }
    return page;
}

void nexus_retain_page(paddr_t page)
{
    /* relaxed: the caller's own reference keeps the page */
    uint32_t before = atomic_add_relaxed(&frame_of(page)->references, 1U);

    BUG_ON(before == 0 || before == UINT32_MAX);
}

void nexus_release_page(paddr_t page)
{
    struct frame *frame = frame_of(page);

    /* acquire: with one reference it is ours, and the others' accesses came before their release;
     * pairs with the subtraction below on the other cores */
    if (atomic_load_acquire(&frame->references) != 1) {
        /* acq_rel: our accesses come before the reuse; pairs with itself and with the load above */
        uint32_t before = atomic_sub_acq_rel(&frame->references, 1U);

        BUG_ON(before == 0);
        if (before != 1) {
            return;
        }
        /* relaxed: nobody else has a reference any more */
        atomic_store_relaxed(&frame->references, 1U);
    }
    nexus_free_page(page);
}
