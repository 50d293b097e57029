/* SPDX-License-Identifier: MIT */
/* Tests the nexus and drain on pretended cores: one thread plays them all in turn. */

#include <stdlib.h>
#include <string.h>

#include "arch/core.h"
#include "arch/layout.h"
#include "kernel/abi/limits.h"
#include "mm/account.h"
#include "mm/drain.h"
#include "mm/nexus_priv.h"
#include "mm/spmalloc.h"
#include "tests/host/death.h"
#include "tests/host/machine.h"
#include "tests/test.h"

#define PAGES 4096U
#define MANY 200U

static struct nexus_counters counters_of(cpu_t cpu)
{
    struct nexus_counters counters;

    nexus_get_counters(cpu, &counters);
    return counters;
}

static void alloc_pages(paddr_t *page, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        page[i] = nexus_alloc_page();
        ASSERT_TRUE(page[i] != FRAME_NONE);
    }
}

static void free_pages(const paddr_t *page, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        nexus_free_page(page[i]);
    }
}

TEST(nexus, a_freed_page_is_the_next_one_given_out)
{
    paddr_t page;

    machine_init(PAGES);
    page = nexus_alloc_page();
    ASSERT_TRUE(page != FRAME_NONE);
    EXPECT_EQ(frame_of(page)->id, FRAME_ID(FRAME_PAGE, 0, 0));
    EXPECT_EQ(nexus_page_references(page), 1);
    nexus_free_page(page);
    EXPECT_EQ(frame_of(page)->id, FRAME_ID(FRAME_CACHED, 0, 0));
    EXPECT_EQ(nexus_alloc_page(), page);
}

TEST(nexus, a_page_that_comes_back_zeroed_is_given_out_as_it_is_and_counted_as_free)
{
    uint64_t before;
    paddr_t page;
    paddr_t other;

    machine_init(PAGES);
    before = machine_free_pages();
    page = nexus_alloc_page_zeroed();
    other = nexus_alloc_page();
    ASSERT_TRUE(page != FRAME_NONE && other != FRAME_NONE);
    nexus_free_zeroed_page(page);
    nexus_free_page(other);
    EXPECT_EQ(frame_of(page)->id, FRAME_ID(FRAME_CACHED, 0, 0));
    EXPECT_EQ(counters_of(0).in_use, 0);
    EXPECT_EQ(nexus_alloc_page_zeroed(), page);
    nexus_free_zeroed_page(page);
    EXPECT_EQ(machine_free_pages(), before);
}

TEST(nexus, zeroed_pages_are_given_out_when_there_are_no_others)
{
    static paddr_t page[PAGES];
    unsigned zeroed = 0;
    unsigned n = 0;

    machine_init(PAGES);
    while ((page[n] = nexus_alloc_page_zeroed()) != FRAME_NONE) {
        n++;
    }
    for (; zeroed < 4; zeroed++) {
        nexus_free_zeroed_page(page[zeroed]);
    }
    for (unsigned i = 0; i < zeroed; i++) {
        page[i] = nexus_alloc_page();
        EXPECT_TRUE(page[i] != FRAME_NONE);
    }
    EXPECT_EQ(nexus_alloc_page(), FRAME_NONE);
    free_pages(page, n);
}

TEST(nexus, pages_are_apart_and_a_zeroed_one_is_zero)
{
    static paddr_t page[MANY];
    const uint8_t *bytes;

    machine_init(PAGES);
    alloc_pages(page, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        memset(direct_map(page[i]), (int)i, PAGE_BYTES);
    }
    for (unsigned i = 0; i < MANY; i++) {
        bytes = direct_map(page[i]);
        EXPECT_EQ(bytes[0], i);
        EXPECT_EQ(bytes[PAGE_BYTES - 1], i);
        nexus_free_page(page[i]);
    }
    bytes = direct_map(nexus_alloc_page_zeroed());
    for (unsigned i = 0; i < PAGE_BYTES; i++) {
        EXPECT_EQ(bytes[i], 0);
    }
}

TEST(nexus, a_stock_above_its_mark_gives_a_batch_back)
{
    static paddr_t page[MANY];
    struct nexus_counters counters;
    uint64_t before;

    machine_init(PAGES);
    before = machine_free_pages();
    alloc_pages(page, MANY);
    free_pages(page, MANY);
    counters = counters_of(0);
    EXPECT_TRUE(counters.cached > 0 && counters.cached <= 96);
    EXPECT_EQ(counters.in_use, 0);
    EXPECT_EQ(counters.taken - counters.given, counters.cached);
    EXPECT_EQ(frame_free_pages(), before - counters.cached);
    EXPECT_EQ(machine_free_pages(), before);
}

TEST(nexus, pages_of_another_core_go_home_in_chains)
{
    paddr_t page[40];
    uint64_t before;

    machine_init(PAGES);
    before = machine_free_pages();
    alloc_pages(page, 40);
    machine_be_core(1);
    free_pages(page, 40);
    EXPECT_EQ(frame_of(page[0])->id, FRAME_ID(FRAME_TRAVELLING, 0, 0));
    EXPECT_EQ(counters_of(0).waiting, 32);
    EXPECT_EQ(counters_of(1).outgoing, 8);
    EXPECT_EQ(counters_of(1).cached, 0);
    machine_be_core(0); /* core 1 sends the rest before it sleeps */
    EXPECT_EQ(counters_of(0).waiting, 40);
    EXPECT_EQ(counters_of(1).remote_out, 40);
    EXPECT_EQ(machine_free_pages(), before);
    EXPECT_EQ(counters_of(0).remote_in, 40);
}

TEST(nexus, a_refill_takes_in_what_came_home_first)
{
    paddr_t page[16];
    uint64_t taken;

    machine_init(PAGES);
    EXPECT_TRUE(machine_free_pages() != 0);
    alloc_pages(page, 16);
    drain_core(0); /* no stock left */
    taken = counters_of(0).taken;
    machine_be_core(1);
    free_pages(page, 16);
    machine_be_core(0);
    alloc_pages(page, 16);
    EXPECT_EQ(counters_of(0).taken, taken);
    EXPECT_EQ(counters_of(0).remote_in, 16);
}

TEST(nexus, for_a_sleeping_owner_the_sender_takes_a_backlog_in)
{
    static paddr_t page[MANY];

    machine_init(PAGES);
    alloc_pages(page, MANY);
    machine_be_core(1);
    free_pages(page, MANY);
    EXPECT_TRUE(counters_of(0).waiting < 64);
    EXPECT_TRUE(counters_of(0).remote_in >= 128);
    EXPECT_EQ(cores[0].ipi_reasons, 0);
}

/* One core more than the machine has, and it sleeps: core 0's batches go through the same slot. */
#define FAR_CORE NEXUS_OUT_SLOTS
#define FAR_OBJECTS 34U

static void add_far_core(void)
{
    spmalloc_init(FAR_CORE + 1, 1);
    machine_set_core(FAR_CORE);
    drain_sleep();
    machine_set_core(0);
    cores[FAR_CORE].online = 1;
}

TEST(nexus, pages_of_slabs_emptied_for_a_sleeper_do_not_mix_with_another_cores)
{
    static paddr_t page[68];
    paddr_t mine[2];
    void *object[FAR_OBJECTS];
    uint64_t before;

    machine_init(PAGES);
    add_far_core();
    before = machine_free_pages();
    alloc_pages(mine, 2);
    machine_be_core(FAR_CORE);
    alloc_pages(page, 68);
    for (unsigned i = 0; i < FAR_OBJECTS; i++) {
        object[i] = spmalloc(&kernel_account, 1500);
    }
    machine_be_core(1);
    for (unsigned i = 1; i < FAR_OBJECTS - 1; i++) {
        spmalloc_free(object[i]); /* 32, which are sent, and make 15 slabs empty */
    }
    free_pages(page, 10);
    nexus_free_page(mine[0]); /* sends the ten */
    free_pages(page + 10, 58);
    EXPECT_EQ(counters_of(FAR_CORE).waiting, 58);
    EXPECT_EQ(counters_of(1).outgoing, 10);
    nexus_free_page(mine[1]); /* sends ten more, which are too many for a sleeper */
    EXPECT_TRUE(counters_of(FAR_CORE).waiting < 58);
    spmalloc_free(object[0]);
    spmalloc_free(object[FAR_OBJECTS - 1]);
    EXPECT_EQ(machine_free_pages(), before);
}

TEST(nexus, an_owner_that_runs_is_asked_to_take_a_backlog_in)
{
    static paddr_t page[MANY];

    machine_init(PAGES);
    alloc_pages(page, MANY);
    machine_set_core(1); /* and core 0 goes on */
    free_pages(page, MANY);
    EXPECT_TRUE(counters_of(0).waiting >= 128);
    EXPECT_EQ(cores[0].ipi_reasons, IPI_DRAIN);
    machine_set_core(0);
    for (unsigned i = 0; i < 10 && cores[0].ipi_reasons != 0; i++) { /* it asks itself again */
        cores[0].ipi_reasons = 0;
        drain_handle_ipi();
    }
    EXPECT_EQ(counters_of(0).waiting, 0);
}

TEST(nexus, other_cores_stocks_are_used_before_memory_is_out)
{
    static paddr_t page[PAGES];
    unsigned count = 0;
    uint64_t before;

    machine_init(PAGES);
    before = machine_free_pages();
    for (cpu_t cpu = 0; cpu < MACHINE_CORES; cpu++) {
        machine_be_core(cpu);
        alloc_pages(page, 8);
        free_pages(page, 8);
        EXPECT_TRUE(counters_of(cpu).cached > 0);
    }
    while ((page[count] = nexus_alloc_page()) != FRAME_NONE) {
        count++;
    }
    EXPECT_EQ(count, before - frame_reserve_pages());
    page[count] = nexus_alloc_page_reserve();
    ASSERT_TRUE(page[count] != FRAME_NONE);
    free_pages(page, count + 1);
    EXPECT_EQ(machine_free_pages(), before);
}

#define WAITING 400U

/* Too few to wake anybody, but each of them is half a page. */
TEST(nexus, objects_that_wait_for_a_sleeper_are_pages_before_memory_is_out)
{
    static paddr_t page[PAGES];
    static void *object[WAITING];
    unsigned count = 0;
    uint64_t before;

    machine_init(PAGES);
    machine_be_core(1);
    for (unsigned i = 0; i < WAITING; i++) {
        object[i] = spmalloc(&kernel_account, 2000);
    }
    machine_be_core(0);
    before = machine_free_pages();
    while ((page[count] = nexus_alloc_page()) != FRAME_NONE) {
        count++;
    }
    EXPECT_EQ(count, before - frame_reserve_pages());
    for (unsigned i = 0; i < WAITING; i++) {
        spmalloc_free(object[i]);
    }
    spmalloc_flush_core(0);
    EXPECT_EQ(spmalloc_waiting(1), WAITING);
    EXPECT_EQ(nexus_idle_pages(1), 0);
    for (before = count; (page[count] = nexus_alloc_page()) != FRAME_NONE; count++) {
    }
    EXPECT_EQ(count - before, WAITING / 2);
}

TEST(nexus, the_last_reference_frees_the_page)
{
    paddr_t page;

    machine_init(PAGES);
    page = nexus_alloc_page();
    nexus_retain_page(page);
    nexus_retain_page(page);
    EXPECT_EQ(nexus_page_references(page), 3);
    nexus_release_page(page);
    machine_be_core(1);
    nexus_release_page(page);
    EXPECT_EQ(frame_state(frame_of(page)), FRAME_PAGE);
    nexus_release_page(page);
    EXPECT_EQ(frame_state(frame_of(page)), FRAME_TRAVELLING);
}

static void free_page(void *page)
{
    nexus_free_page(*(paddr_t *)page);
}

TEST(nexus, wrong_frees_panic)
{
    paddr_t page, block, object;

    machine_init(PAGES);
    page = nexus_alloc_page();
    block = frame_alloc(0);
    object = direct_unmap(spmalloc(&kernel_account, 64)) & ~(paddr_t)(PAGE_BYTES - 1);
    EXPECT_TRUE(dies_by_assertion(free_page, &block));
    EXPECT_TRUE(dies_by_assertion(free_page, &object));
    nexus_retain_page(page);
    EXPECT_TRUE(dies_by_assertion(free_page, &page)); /* shared */
    nexus_release_page(page);
    nexus_free_page(page);
    EXPECT_TRUE(dies_by_assertion(free_page, &page)); /* twice */
    page = nexus_alloc_page();
    machine_be_core(1);
    nexus_free_page(page);
    EXPECT_TRUE(dies_by_assertion(free_page, &page)); /* twice, elsewhere */
    machine_be_core(2);
    EXPECT_TRUE(dies_by_assertion(free_page, &page));
}

static void alloc_page(void *unused)
{
    (void)unused;
    (void)!nexus_alloc_page();
}

TEST(nexus, a_record_that_was_written_while_its_page_was_free_is_found)
{
    paddr_t page;

    machine_init(PAGES);
    page = nexus_alloc_page();
    nexus_free_page(page);
    frame_of(page)->references = 1;
    EXPECT_TRUE(dies_by_assertion(alloc_page, NULL));
}

#define LIVE 512U

TEST(nexus, random_operations_on_all_cores_lose_nothing)
{
    static paddr_t page[LIVE];
    uint64_t before;
    unsigned live = 0;

    machine_init(PAGES);
    before = machine_free_pages();
    srand(1);
    for (unsigned round = 0; round < 200000; round++) {
        unsigned i = (unsigned)rand() % LIVE;

        if (rand() % 64 == 0) {
            machine_be_core((cpu_t)rand() % MACHINE_CORES);
        }
        if (rand() % 4096 == 0) {
            EXPECT_EQ(machine_free_pages(), before - live);
        }
        if (page[i] == FRAME_NONE) {
            page[i] = nexus_alloc_page();
            ASSERT_TRUE(page[i] != FRAME_NONE);
            *(uint64_t *)direct_map(page[i]) = i;
            live++;
        } else {
            EXPECT_EQ(*(uint64_t *)direct_map(page[i]), i);
            nexus_free_page(page[i]);
            page[i] = FRAME_NONE;
            live--;
        }
    }
    EXPECT_EQ(machine_free_pages(), before - live);
}

static unsigned seen;

static void count_pages(struct frame *frame, void *state)
{
    seen += frame_state(frame) == *(unsigned *)state;
}

TEST(nexus, a_walk_over_used_frames_sees_each_page_once)
{
    static paddr_t page[MANY];
    unsigned in_use = FRAME_PAGE;
    unsigned blocks = FRAME_ALLOCATED;

    machine_init(PAGES);
    alloc_pages(page, MANY);
    ASSERT_TRUE(frame_alloc(0) != FRAME_NONE && frame_alloc(5) != FRAME_NONE);
    frame_visit_used(count_pages, &in_use);
    EXPECT_EQ(seen, MANY);
    seen = 0;
    frame_visit_used(count_pages, &blocks);
    EXPECT_EQ(seen, 2);
}
