/* SPDX-License-Identifier: MIT */
/* Tests the frame allocator on pretended memory. */

#include <stdlib.h>
#include <string.h>

#include "arch/layout.h"
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
    while ((page[count] = frame_alloc(0)) != FRAME_NONE) {
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
    while ((page = frame_alloc(0)) != FRAME_NONE) {
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
