/* SPDX-License-Identifier: MIT */
/* Pages between cores: allocated on one, freed on another, and home again. */
#include "mm/nexus.h"

#include "arch/irq.h"
#include "arch/layout.h"
#include "arch/platform.h"
#include "kernel/abi/limits.h"
#include "kernel/base/atomic.h"
#include "mm/drain.h"
#include "sched/sched.h"
#include "tests/kernel/baseline.h"
#include "tests/kernel/crew.h"

#define PAGES 200U

/* Pages that threads hand to one another; `busy` keeps a thread on its core. */
struct basket {
    paddr_t page[PAGES];
    uint32_t busy;
    uint32_t started;
};

static void fill(void *argument)
{
    struct basket *basket = argument;

    for (unsigned i = 0; i < PAGES; i++) {
        basket->page[i] = nexus_alloc_page();
        ASSERT_NE(basket->page[i], FRAME_NONE);
        *(uint64_t *)direct_map(basket->page[i]) = i;
    }
}

/* Frees every other page, then the rest from the end. */
static void empty(void *argument)
{
    struct basket *basket = argument;

    for (unsigned i = 0; i < PAGES; i += 2) {
        EXPECT_EQ(*(uint64_t *)direct_map(basket->page[i]), i);
        nexus_free_page(basket->page[i]);
    }
    for (unsigned i = PAGES; i-- > 0;) {
        if (i % 2 == 1) {
            EXPECT_EQ(*(uint64_t *)direct_map(basket->page[i]), i);
            nexus_free_page(basket->page[i]);
        }
    }
}

static void stay_busy(void *argument)
{
    struct basket *basket = argument;

    /* relaxed: nothing else is told */
    atomic_store_relaxed(&basket->started, 1U);
    while (atomic_load_relaxed(&basket->busy) != 0) {
        arch_relax();
    }
}

/* No page of the core is waiting for it or in its stock. */
static bool owns_nothing(cpu_t cpu)
{
    struct nexus_counters counters;

    nexus_get_counters(cpu, &counters);
    return counters.cached == 0 && counters.waiting == 0;
}

/* Allocates on one core, frees on the other, for all pairs; the owner runs something else or not. */
static void between_all_pairs(bool owner_busy)
{
    static struct basket basket;
    cpu_t count = sched_online_count();
    struct baseline before;

    baseline_take(&before);

    for (cpu_t from = 0; from < count; from++) {
        for (cpu_t to = 0; to < count; to++) {
            struct thread *busy = NULL;

            EXPECT_EQ(crew_join(crew_start(from, fill, &basket)), 0);
            basket.busy = owner_busy && from != to && from != 0;
            basket.started = 0;
            if (basket.busy != 0) {
                busy = crew_start(from, stay_busy, &basket);
                EXPECT_SOON(atomic_load_relaxed(&basket.started) != 0);
            }
            EXPECT_EQ(crew_join(crew_start(to, empty, &basket)), 0);
            drain_all(); /* an owner that is busy is asked */
            EXPECT_TRUE(owns_nothing(from));
            atomic_store_relaxed(&basket.busy, 0U);
            if (busy != NULL) {
                EXPECT_EQ(crew_join(busy), 0);
            }
            EXPECT_TRUE(baseline_expect(&before));
        }
    }
}

TEST(nexus, memory_comes_home_from_every_core_while_its_owner_sleeps)
{
    between_all_pairs(false);
}

TEST(nexus, memory_comes_home_from_every_core_while_its_owner_is_busy)
{
    between_all_pairs(true);
}

TEST(nexus, an_owner_that_sleeps_is_helped_before_much_waits_for_it)
{
    static struct basket basket;
    struct nexus_counters counters;
    cpu_t owner = crew_core(1);

    if (owner == core_index()) {
        test_skip("needs two cores");
        return;
    }
    EXPECT_EQ(crew_join(crew_start(owner, fill, &basket)), 0);
    empty(&basket);
    EXPECT_SOON((nexus_get_counters(owner, &counters), counters.waiting < 64));
    drain_all();
    nexus_get_counters(owner, &counters);
    EXPECT_EQ(counters.waiting, 0);
    EXPECT_EQ(counters.cached, 0);
}

struct swap {
    paddr_t slot[64];
};

/* Puts pages into slots that all cores share and frees what another one had put there. */
static void swap_pages(void *member)
{
    struct swap *swap = ((struct crew_member *)member)->shared;
    uint32_t random = ((struct crew_member *)member)->index + 1;

    for (unsigned i = 0; i < 3000; i++) {
        paddr_t page = nexus_alloc_page();

        ASSERT_NE(page, FRAME_NONE);
        *(uint64_t *)direct_map(page) = page;
        /* acq_rel: the mark goes with the page; pairs with itself on the other cores */
        page = atomic_swap_acq_rel(&swap->slot[crew_random(&random) % 64], page);
        if (page != FRAME_NONE) {
            EXPECT_EQ(*(uint64_t *)direct_map(page), page);
            nexus_free_page(page);
        }
        if (i % 512 == 0) {
            drain_all();
        }
    }
}

TEST(nexus, cores_that_swap_pages_at_random_lose_none)
{
    static struct swap swap;
    crew_run(4, swap_pages, &swap);
    for (unsigned i = 0; i < 64; i++) {
        if (swap.slot[i] != FRAME_NONE) {
            nexus_free_page(swap.slot[i]);
            swap.slot[i] = FRAME_NONE;
        }
    }
}

static void keep_draining(void *member)
{
    (void)member;
    for (unsigned i = 0; i < 5; i++) {
        nexus_free_page(nexus_alloc_page());
        drain_all();
        sched_yield();
    }
}

TEST(nexus, drains_from_all_cores_at_once_come_to_an_end)
{
    crew_run(4, keep_draining, NULL);
}

static void release(void *member)
{
    nexus_release_page(*(paddr_t *)((struct crew_member *)member)->shared);
}

TEST(nexus, a_shared_page_is_freed_with_its_last_reference)
{
    for (unsigned round = 0; round < 20; round++) {
        paddr_t page = nexus_alloc_page_zeroed();

        ASSERT_NE(page, FRAME_NONE);
        for (unsigned i = 0; i < 4; i++) {
            nexus_retain_page(page);
        }
        EXPECT_EQ(nexus_page_references(page), 5);
        crew_run(4, release, &page);
        EXPECT_EQ(nexus_page_references(page), 1);
        EXPECT_EQ(frame_state(frame_of(page)), FRAME_PAGE);
        nexus_release_page(page);
        EXPECT_NE(frame_state(frame_of(page)), FRAME_PAGE);
    }
}

/* Takes blocks from mm/frame, so that few pages are left; they form a list. */
static paddr_t take_most(void)
{
    paddr_t list = FRAME_NONE;

    for (unsigned order = FRAME_MAX_ORDER + 1; order-- > 0;) {
        paddr_t block;

        while ((block = frame_alloc(order)) != FRAME_NONE) {
            ((paddr_t *)direct_map(block))[0] = list;
            ((paddr_t *)direct_map(block))[1] = order;
            list = block;
        }
    }
    return list;
}

TEST(nexus, the_stock_of_sleeping_cores_is_used_before_memory_is_said_to_be_out)
{
    static struct basket basket;
    paddr_t list, pages = FRAME_NONE;
    uint64_t count = 0;
    paddr_t page;

    for (cpu_t cpu = 0; cpu < sched_online_count(); cpu++) { /* each gets a stock */
        EXPECT_EQ(crew_join(crew_start(cpu, fill, &basket)), 0);
        EXPECT_EQ(crew_join(crew_start(cpu, empty, &basket)), 0);
    }
    list = take_most();
    /* A core that wakes may give some back just after there was none. */
    EXPECT_SOON((page = nexus_alloc_page()) == FRAME_NONE
                    ? frame_free_pages() <= frame_reserve_pages()
                    : (*(paddr_t *)direct_map(page) = pages, pages = page, count++, false));
    EXPECT_TRUE(count >= 24);
    page = nexus_alloc_page_reserve();
    ASSERT_NE(page, FRAME_NONE);
    nexus_free_page(page);
    while (pages != FRAME_NONE) {
        page = pages;
        pages = *(paddr_t *)direct_map(page);
        nexus_free_page(page);
    }
    while (list != FRAME_NONE) {
        paddr_t *block = direct_map(list);

        list = block[0];
        frame_free(direct_unmap(block), (unsigned)block[1]);
    }
}

static void alloc_near(void *member)
{
    paddr_t page[PAGES];

    (void)member;
    for (unsigned i = 0; i < PAGES; i++) {
        page[i] = nexus_alloc_page();
        EXPECT_EQ(frame_of(page[i])->node, platform.numa_node[core_index()]);
        EXPECT_EQ(frame_owner(frame_of(page[i])), core_index());
    }
    for (unsigned i = 0; i < PAGES; i++) {
        nexus_free_page(page[i]);
    }
}

TEST(nexus, pages_come_from_the_node_of_the_core)
{
    if (platform.numa_count == 1) {
        test_skip("there is one node (tests/boot starts a machine with two)");
        return;
    }
    crew_run((unsigned)min_u64(platform.core_count, CREW_MAX), alloc_near, NULL);
}
