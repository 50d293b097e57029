/* SPDX-License-Identifier: MIT */
/* The frame allocator on the real machine's memory. */
#include "mm/frame.h"

#include "arch/irq.h"
#include "arch/layout.h"
#include "arch/platform.h"
#include "kernel/abi/limits.h"
#include "tests/kernel/crew.h"

#define WORKERS 4U
#define ROUNDS 500U

TEST(frame, blocks_are_aligned_and_come_back)
{
    for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
        uint64_t before = frame_free_pages();
        paddr_t block = frame_alloc(order);

        ASSERT_NE(block, FRAME_NONE);
        EXPECT_TRUE(IS_ALIGNED(block, (uint64_t)PAGE_BYTES << order));
        EXPECT_EQ(frame_free_pages(), before - (1UL << order));
        EXPECT_EQ(frame_address(frame_find(block)), block);
        frame_free(block, order);
        EXPECT_EQ(frame_free_pages(), before);
    }
}

TEST(frame, a_zeroed_page_is_zero_after_use)
{
    paddr_t page = frame_alloc(0);

    ASSERT_NE(page, FRAME_NONE);
    *(uint64_t *)direct_map(page) = ~0UL;
    frame_free(page, 0);
    page = frame_alloc_zeroed(0);
    ASSERT_NE(page, FRAME_NONE);
    for (unsigned i = 0; i < PAGE_BYTES / sizeof(uint64_t); i++) {
        EXPECT_EQ(((uint64_t *)direct_map(page))[i], 0);
    }
    frame_free(page, 0);
}

/* A block that was taken; the list lies in the blocks themselves. */
struct taken {
    struct taken *next;
    unsigned order;
};

static void free_all(struct taken *taken)
{
    while (taken != NULL) {
        struct taken *next = taken->next;

        frame_free(direct_unmap(taken), taken->order);
        taken = next;
    }
}

TEST(frame, exhaustion_gives_none_and_recovers_in_full)
{
    struct taken *taken = NULL;
    uint64_t pages = frame_free_pages();
    uint64_t largest = frame_free_blocks(FRAME_MAX_ORDER);
    uint64_t sum = 0;

    for (unsigned order = FRAME_MAX_ORDER + 1; order-- > 0;) {
        paddr_t block;

        while ((block = frame_alloc_flags(order, FRAME_USE_RESERVE)) != FRAME_NONE) {
            struct taken *head = direct_map(block);

            *head = (struct taken){.next = taken, .order = order};
            taken = head;
            sum += 1UL << order;
        }
    }
    EXPECT_EQ(sum, pages);
    EXPECT_EQ(frame_free_pages(), 0);
    EXPECT_EQ(frame_alloc(0), FRAME_NONE);
    free_all(taken);
    EXPECT_EQ(frame_free_pages(), pages);
    EXPECT_EQ(frame_free_blocks(FRAME_MAX_ORDER), largest);
}

TEST(frame, single_pages_merge_into_the_blocks_that_they_were_cut_from)
{
    struct taken *taken = NULL;
    uint64_t largest = frame_free_blocks(FRAME_MAX_ORDER);

    ASSERT_TRUE(largest > 0);
    /* There are at most so few pages outside the largest blocks. */
    for (unsigned i = 0; i < 8192 && frame_free_blocks(FRAME_MAX_ORDER) == largest; i++) {
        struct taken *page = direct_map(frame_alloc(0));

        *page = (struct taken){.next = taken, .order = 0};
        taken = page;
    }
    EXPECT_EQ(frame_free_blocks(FRAME_MAX_ORDER), largest - 1);
    free_all(taken);
    EXPECT_EQ(frame_free_blocks(FRAME_MAX_ORDER), largest);
}

/* On each core, a block comes from the core's own node. */
static void alloc_near(void *argument)
{
    (void)argument;
    for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
        paddr_t block = frame_alloc(order);

        ASSERT_NE(block, FRAME_NONE);
        EXPECT_EQ(frame_of(block)->node, platform.numa_node[core_index()]);
        frame_free(block, order);
    }
}

TEST(frame, blocks_come_from_the_node_of_the_core)
{
    if (platform.numa_count == 1) {
        test_skip("there is one node (tests/boot starts a machine with two)");
        return;
    }
    crew_run((unsigned)min_u64(platform.core_count, CREW_MAX), alloc_near, NULL);
}

static void mark_and_check(void *member)
{
    uint64_t index = ((struct crew_member *)member)->index;
    uint32_t random = (uint32_t)index;

    for (uint64_t i = 0; i < ROUNDS; i++) {
        unsigned order = crew_random(&random) % 4;
        paddr_t block = frame_alloc(order);
        volatile uint64_t *first = direct_map(block);
        volatile uint64_t *last = first + (((uint64_t)PAGE_BYTES << order) / sizeof(*first) - 1);

        *first = *last = index << 32 | i;
        arch_relax();
        EXPECT_EQ(*first, index << 32 | i);
        EXPECT_EQ(*last, index << 32 | i);
        frame_free(block, order);
    }
}

TEST(frame, cores_never_share_a_block)
{
    crew_run(WORKERS, mark_and_check, NULL);
}
