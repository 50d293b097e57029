/* SPDX-License-Identifier: MIT */
/* Tests the frame allocator on pretended memory. */

#include <stdlib.h>
#include <string.h>

#include "arch/layout.h"
#include "arch/platform.h"
#include "kernel/abi/limits.h"
#include "mm/frame.h"
#include "tests/host/death.h"
#include "tests/host/machine.h"
#include "tests/test.h"

#define PAGES 4096U

TEST(frame, blocks_are_aligned_disjoint_and_come_back)
{
    paddr_t block[FRAME_MAX_ORDER + 1];
    uint64_t before;
    uint64_t taken = 0;

    machine_init(PAGES);
    before = frame_free_pages();
    EXPECT_EQ(before, frame_total_pages());
    for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
        block[order] = frame_alloc(order);
        ASSERT_TRUE(block[order] != FRAME_NONE);
        EXPECT_TRUE(IS_ALIGNED(block[order], (uint64_t)PAGE_BYTES << order));
        memset(direct_map(block[order]), (int)order, (size_t)PAGE_BYTES << order);
        taken += 1UL << order;
    }
    EXPECT_EQ(frame_free_pages(), before - taken);
    for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
        const uint8_t *bytes = direct_map(block[order]);

        EXPECT_EQ(bytes[0], order);
        EXPECT_EQ(bytes[((size_t)PAGE_BYTES << order) - 1], order);
        frame_free(block[order], order);
    }
    EXPECT_EQ(frame_free_pages(), before);
}

TEST(frame, freed_buddies_merge_into_the_blocks_there_were)
{
    static paddr_t page[PAGES];
    uint64_t blocks[FRAME_MAX_ORDER + 1];
    unsigned count = 0;

    machine_init(PAGES);
    for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
        blocks[order] = frame_free_blocks(order);
    }
    while ((page[count] = frame_alloc_flags(0, FRAME_USE_RESERVE)) != FRAME_NONE) {
        count++;
    }
    EXPECT_EQ(count, frame_total_pages());
    EXPECT_EQ(frame_free_pages(), 0);
    EXPECT_EQ(frame_alloc(3), FRAME_NONE);
    for (unsigned i = 0; i < count; i += 2) {
        frame_free(page[i], 0);
    }
    for (unsigned i = 1; i < count; i += 2) {
        frame_free(page[i], 0);
    }
    for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
        EXPECT_EQ(frame_free_blocks(order), blocks[order]);
    }
}

TEST(frame, zeroed_block_is_zero)
{
    paddr_t block;
    const uint8_t *bytes;

    machine_init(PAGES);
    block = frame_alloc_zeroed(2);
    ASSERT_TRUE(block != FRAME_NONE);
    bytes = direct_map(block);
    for (unsigned i = 0; i < 4 * PAGE_BYTES; i++) {
        EXPECT_TRUE(bytes[i] == 0);
    }
}

TEST(frame, reserved_ranges_and_other_banks_holes_are_never_given_out)
{
    /* Two banks with a hole; reserved: overlapping ranges, unaligned ends, one outside. */
    const struct frame_range banks[] = {{MACHINE_RAM_BASE + 0x100, 256 * PAGE_BYTES, 0},
                                        {MACHINE_RAM_BASE + 512 * PAGE_BYTES, 512 * PAGE_BYTES, 0}};
    const struct frame_range reserved[] = {
        {MACHINE_RAM_BASE + 600 * PAGE_BYTES + 5, 10 * PAGE_BYTES, 0},
        {MACHINE_RAM_BASE, 16 * PAGE_BYTES, 0},
        {MACHINE_RAM_BASE + 8 * PAGE_BYTES, 20 * PAGE_BYTES, 0},
        {0x1000, 0x1000, 0},
        {MACHINE_RAM_BASE + 1000 * PAGE_BYTES, UINT64_MAX, 0}};
    paddr_t page;

    machine_map_memory(1024);
    frame_init_ranges(banks, 2, reserved, 5);
    EXPECT_TRUE(frame_free_pages() > 650 && frame_free_pages() < 800);
    while ((page = frame_alloc_flags(0, FRAME_USE_RESERVE)) != FRAME_NONE) {
        uint64_t index = (page - MACHINE_RAM_BASE) / PAGE_BYTES;

        EXPECT_TRUE((index >= 28 && index < 256) || (index >= 512 && index < 600) ||
                    (index >= 611 && index < 1000));
        EXPECT_EQ(frame_address(frame_find(page)), page);
    }
    EXPECT_TRUE(frame_find(MACHINE_RAM_BASE + 300 * PAGE_BYTES) == NULL);
    EXPECT_TRUE(frame_find(MACHINE_RAM_BASE - 1) == NULL);
}

TEST(frame, neighbouring_banks_do_not_merge)
{
    const struct frame_range banks[] = {{MACHINE_RAM_BASE, 512 * PAGE_BYTES, 0},
                                        {MACHINE_RAM_BASE + 512 * PAGE_BYTES, 512 * PAGE_BYTES, 0}};

    machine_map_memory(1024);
    frame_init_ranges(banks, 2, NULL, 0);
    EXPECT_EQ(frame_free_blocks(10), 0);
    EXPECT_EQ(frame_free_blocks(9), 0); /* each bank's records take some of it */
    EXPECT_EQ(frame_free_blocks(8), 2);
}

TEST(frame, the_reserve_is_kept_for_those_who_ask_for_it)
{
    paddr_t last;

    machine_init(PAGES);
    while (frame_alloc(0) != FRAME_NONE) {
    }
    EXPECT_TRUE(frame_reserve_pages() >= 32);
    EXPECT_EQ(frame_free_pages(), frame_reserve_pages());
    EXPECT_TRUE(frame_is_low());
    last = frame_alloc_flags(0, FRAME_USE_RESERVE);
    ASSERT_TRUE(last != FRAME_NONE);
    frame_free(last, 0);
    EXPECT_EQ(frame_alloc(0), FRAME_NONE);
}

#define NODE_PAGES 1024U

/* Three nodes of NODE_PAGES; 0 is nearer to 2 than to 1. */
static void make_three_nodes(void)
{
    struct frame_range banks[3];

    machine_map_memory(3 * NODE_PAGES);
    platform.numa_count = 3;
    for (uint32_t i = 0; i < 3; i++) {
        banks[i] = (struct frame_range){MACHINE_RAM_BASE + (uint64_t)i * NODE_PAGES * PAGE_BYTES,
                                        (uint64_t)NODE_PAGES * PAGE_BYTES, i};
        platform.numa_node[i] = i;
        for (uint32_t j = 0; j < 3; j++) {
            platform.numa_distance[i][j] = i == j ? 10 : i + j == 2 ? 15 : 30;
        }
    }
    frame_init_ranges(banks, 3, NULL, 0);
}

static uint32_t node_of(paddr_t page)
{
    return (uint32_t)((page - MACHINE_RAM_BASE) / PAGE_BYTES / NODE_PAGES);
}

TEST(frame, pages_come_from_the_nearest_node_that_has_any)
{
    static const uint32_t order[3][3] = {{0, 2, 1}, {1, 0, 2}, {2, 0, 1}};

    for (cpu_t cpu = 0; cpu < 3; cpu++) {
        unsigned at = 0;
        paddr_t page;

        make_three_nodes();
        machine_set_core(cpu);
        while ((page = frame_alloc(0)) != FRAME_NONE) {
            while (at < 3 && order[cpu][at] != node_of(page)) {
                at++;
            }
            ASSERT_TRUE(at < 3);
            EXPECT_EQ(frame_of(page)->node, node_of(page));
        }
        EXPECT_EQ(at, 2);
        EXPECT_EQ(frame_free_pages(), frame_reserve_pages());
    }
}

TEST(frame, pages_go_home_to_their_own_node)
{
    struct remote_node *chain;
    struct remote_node *node;
    uint64_t before[3];
    unsigned taken;

    make_three_nodes();
    for (uint32_t i = 0; i < 3; i++) {
        before[i] = frame_node_free_pages(i);
    }
    taken =
        frame_take_pages(2 * NODE_PAGES, 0, FRAME_WORD(FRAME_ID(FRAME_ALLOCATED, 0, 0), 0), &chain);
    EXPECT_EQ(taken, 2 * NODE_PAGES);
    EXPECT_EQ(frame_node_free_pages(0) + frame_node_free_pages(2), frame_reserve_pages() / 3 * 2);
    for (node = chain; node != NULL; node = node->next) {
        struct frame *frame = container_of(node, struct frame, home);

        EXPECT_EQ(frame->id, FRAME_ID(FRAME_ALLOCATED, 0, 0));
        frame->id = FRAME_ID(FRAME_CACHED, 0, 0);
    }
    frame_give_pages(chain);
    for (uint32_t i = 0; i < 3; i++) {
        EXPECT_EQ(frame_node_free_pages(i), before[i]);
    }
}

TEST(frame, records_inside_a_block_are_set_when_it_is_given_out)
{
    paddr_t block;

    machine_init(PAGES);
    for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
        block = frame_alloc(order);
        ASSERT_TRUE(block != FRAME_NONE);
        for (uint64_t i = 1; i < 1UL << order; i++) {
            EXPECT_EQ(frame_of(block)[i].id, FRAME_OTHER);
        }
        for (uint64_t i = 0; i < 1UL << order; i++) {
            EXPECT_EQ(frame_of(block)[i].fresh, 0);
        }
    }
}

static void free_twice(void *unused)
{
    paddr_t page = frame_alloc(0);

    (void)unused;
    frame_free(page, 0);
    frame_free(page, 0);
}

static void free_with_wrong_order(void *unused)
{
    (void)unused;
    frame_free(frame_alloc(1), 0);
}

static void free_foreign(void *unused)
{
    (void)unused;
    frame_free(0x1000, 0);
}

static void free_inner_page(void *unused)
{
    (void)unused;
    frame_free(frame_alloc(1) + PAGE_BYTES, 0);
}

TEST(frame, wrong_frees_panic)
{
    machine_init(PAGES);
    EXPECT_TRUE(dies_by_assertion(free_twice, NULL));
    EXPECT_TRUE(dies_by_assertion(free_with_wrong_order, NULL));
    EXPECT_TRUE(dies_by_assertion(free_foreign, NULL));
    EXPECT_TRUE(dies_by_assertion(free_inner_page, NULL));
}

#define LIVE 256U

TEST(frame, random_operations_keep_blocks_apart)
{
    static struct {
        paddr_t address;
        unsigned order;
    } live[LIVE];
    uint64_t before;

    machine_init(PAGES);
    before = frame_free_pages();
    srand(1);
    for (unsigned round = 0; round < 200000; round++) {
        unsigned i = (unsigned)rand() % LIVE;

        if (live[i].address == FRAME_NONE) {
            live[i].order = (unsigned)rand() % 5;
            live[i].address = frame_alloc(live[i].order);
            if (live[i].address != FRAME_NONE) {
                *(uint64_t *)direct_map(live[i].address) = i;
            }
        } else {
            EXPECT_EQ(*(uint64_t *)direct_map(live[i].address), i);
            frame_free(live[i].address, live[i].order);
            live[i].address = FRAME_NONE;
        }
    }
    for (unsigned i = 0; i < LIVE; i++) {
        if (live[i].address != FRAME_NONE) {
            frame_free(live[i].address, live[i].order);
        }
    }
    EXPECT_EQ(frame_free_pages(), before);
}
