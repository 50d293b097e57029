/* SPDX-License-Identifier: MIT */
/*
 * A nexus and mm/frame: refilling in batches, giving back in batches; and what is out of order.
 */
#include "arch/core.h"
#include "arch/irq.h"
#include "kernel/base/assert.h"
#include "kernel/base/print.h"
#include "mm/drain.h"
#include "mm/fail.h"
#include "mm/nexus_priv.h"

/* All stocks together hold at most one page in so many, within the bounds for each. */
#define STOCK_DIVISOR 16U
#define HIGH_MIN_PAGES 24U
#define HIGH_MAX_PAGES 96U
#define BATCHES_TO_HIGH 3U
/* Pages that came home are taken in so many at a time, so that interrupts are not off for long. */
#define COLLECT_PAGES 64U
/* One round brings home a part; a sleeper has no more than this unless others go on sending. */
#define SLEEPER_ROUNDS 8U

void nexus_init(unsigned core_count)
{
    uint64_t high = frame_total_pages() / STOCK_DIVISOR / core_count;

    high = min_u64(max_u64(high, HIGH_MIN_PAGES), HIGH_MAX_PAGES);
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        nexuses[cpu] = (struct nexus){
            .page_word = FRAME_WORD(FRAME_ID(FRAME_PAGE, 0, cpu), 1),
            .cached_word = FRAME_WORD(FRAME_ID(FRAME_CACHED, 0, cpu), 0),
            .high = (uint32_t)high,
            .batch = (uint32_t)high / BATCHES_TO_HIGH,
        };
    }
}

/* The nexus has no page in `free`. */
static void refill(struct nexus *nexus, unsigned flags)
{
    unsigned n =
        frame_take_pages(flags == 0 ? nexus->batch : 1, flags, nexus->cached_word, &nexus->free);

    nexus_count(&nexus->counters.refills, n != 0);
    nexus_count(&nexus->counters.taken, n);
    nexus_set_cached(nexus, nexus->cached + n);
}

/* The zeroed pages become pages like any others. */
static void mix_zeroed(struct nexus *nexus)
{
    while (nexus->zeroed != NULL) {
        struct frame *frame = container_of(nexus->zeroed, struct frame, home);

        nexus->zeroed = nexus->zeroed->next;
        (void)nexus_push(nexus, frame);
    }
    nexus_set_zeroed(nexus, 0);
}

/* Sees to it that the nexus has a page, in rising order of cost; it may still have none. */
static void find_pages(struct nexus *nexus, unsigned flags)
{
    cpu_t cpu = (cpu_t)(nexus - nexuses);

    if (nexus->free == NULL) {
        (void)nexus_collect_some(cpu, COLLECT_PAGES);
    }
    if (nexus->free == NULL) {
        refill(nexus, 0);
        if (frame_is_low()) {
            drain_ask_all();
        }
    }
    if (nexus->free == NULL) {
        mix_zeroed(nexus);
    }
    for (unsigned i = 0; i < SLEEPER_ROUNDS && nexus->free == NULL && drain_sleepers(); i++) {
        (void)nexus_collect_some(cpu, COLLECT_PAGES);
        if (nexus->free == NULL) {
            refill(nexus, 0);
        }
    }
    if (nexus->free == NULL && flags != 0) {
        refill(nexus, flags);
    }
}

static paddr_t alloc_with(struct nexus *nexus, unsigned flags)
{
    struct remote_node *node;
    struct frame *frame;

    find_pages(nexus, flags);
    node = nexus->free;
    if (node == NULL) {
        return FRAME_NONE;
    }
    frame = container_of(node, struct frame, home);
    if (frame->word != nexus->cached_word) {
        nexus_panic("a free page was written to", frame);
    }
    nexus->free = node->next;
    nexus_set_cached(nexus, nexus->cached - 1);
    /* relaxed: as in nexus_push */
    atomic_store_relaxed(&frame->word, nexus->page_word);
    return frame_address(frame);
}

paddr_t nexus_alloc_slow(struct nexus *nexus, uint64_t state)
{
    paddr_t page = fail_this_allocation() ? FRAME_NONE : alloc_with(nexus, 0);

    irq_restore_whole(state);
    return page;
}

paddr_t nexus_alloc_page_reserve(void)
{
    uint64_t state = irq_save_whole();
    paddr_t page = FRAME_NONE;

    if (!fail_this_allocation()) {
        page = alloc_with(&nexuses[core_index()], FRAME_USE_RESERVE);
    }
    irq_restore_whole(state);
    return page;
}

/* Up to `n` pages go back to mm/frame. */
static void give_back(struct nexus *nexus, uint32_t n)
{
    struct remote_node *first = nexus->free;
    struct remote_node *last = first;

    n = (uint32_t)min_u64(n, nexus->cached);
    if (n == 0) {
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        last = last->next;
    }
    nexus->free = last->next;
    last->next = NULL;
    nexus_set_cached(nexus, nexus->cached - n);
    nexus_count(&nexus->counters.given, n);
    frame_give_pages(first);
}

void nexus_shed(struct nexus *nexus, uint64_t state)
{
    give_back(nexus, nexus->batch);
    irq_restore_whole(state);
}

bool nexus_trim_some(cpu_t cpu, unsigned n)
{
    mix_zeroed(&nexuses[cpu]);
    give_back(&nexuses[cpu], n);
    return nexuses[cpu].cached != 0;
}

void nexus_panic(const char *what, const struct frame *frame)
{
    static const char *const state[] = {
        [FRAME_OTHER] = "not ours, or inside a block",
        [FRAME_FREE] = "free",
        [FRAME_ALLOCATED] = "a block",
        [FRAME_CACHED] = "free, in a nexus",
        [FRAME_PAGE] = "a page in use",
        [FRAME_SLAB] = "a slab",
        [FRAME_SLAB_FULL] = "a full slab",
        [FRAME_LARGE] = "a large object",
        [FRAME_TRAVELLING] = "free, on its way home",
    };
    char text[160];

    format_string(text, sizeof(text),
                  "nexus: %s: page 0x%lx is %s, order %u, of core %u, with %u "
                  "references",
                  what, frame_address(frame),
                  frame_state(frame) < ARRAY_SIZE(state) ? state[frame_state(frame)] : "unknown",
                  frame_order(frame), frame_owner(frame), frame->references);
    assert_fail(text, __FILE__, __LINE__);
}

void nexus_get_counters(cpu_t cpu, struct nexus_counters *counters)
{
    struct nexus *nexus = &nexuses[cpu];
    const struct nexus_counters *from = &nexus->counters;
    uint64_t idle;

    /* relaxed: a snapshot */
    *counters = (struct nexus_counters){
        .cached = nexus_stock(nexus),
        .waiting = remote_waiting(&nexus->inbox),
        .outgoing = atomic_load_relaxed(&from->outgoing),
        .refills = atomic_load_relaxed(&from->refills),
        .taken = atomic_load_relaxed(&from->taken),
        .given = atomic_load_relaxed(&from->given),
        .remote_in = atomic_load_relaxed(&from->remote_in),
        .remote_out = atomic_load_relaxed(&from->remote_out),
    };
    idle = counters->given + counters->cached + counters->waiting;
    counters->in_use = counters->taken > idle ? counters->taken - idle : 0;
}

uint64_t nexus_idle_pages(cpu_t cpu)
{
    /* relaxed: advice */
    return nexus_stock(&nexuses[cpu]) + remote_waiting(&nexuses[cpu].inbox);
}
