/* SPDX-License-Identifier: MIT */
/* Tests the slots of kernel stacks. */

#include "arch/layout.h"
#include "mm/frame.h"
#include "mm/kstack.h"
#include "tests/host/death.h"
#include "tests/host/machine.h"
#include "tests/test.h"

#define PAGES 2048U

TEST(kstack, slots_are_aligned_distinct_and_cached)
{
    vaddr_t first = 0;
    vaddr_t second = 0;
    vaddr_t again = 0;
    uint64_t free_pages;

    machine_init(PAGES);
    EXPECT_OK(kstack_alloc(&first));
    EXPECT_OK(kstack_alloc(&second));
    EXPECT_NE(first, second);
    EXPECT_EQ(first % KSTACK_SLOT_BYTES, 0);
    EXPECT_EQ(first, KSTACK_BASE + KSTACK_SLOT_BYTES);
    EXPECT_EQ(kstack_count(), 2);
    free_pages = machine_free_pages();
    kstack_free(first);
    EXPECT_EQ(kstack_cached_pages(), KSTACK_MAPPED_PAGES);
    EXPECT_EQ(machine_free_pages(), free_pages);
    EXPECT_OK(kstack_alloc(&again));
    EXPECT_EQ(again, first);
    EXPECT_EQ(machine_free_pages(), free_pages);
}

TEST(kstack, running_out_of_frames_loses_nothing)
{
    static vaddr_t top[PAGES];
    unsigned count = 0;
    vaddr_t more = 7;

    machine_init(PAGES);
    while (kstack_alloc(&top[count]) == OK) {
        count++;
    }
    EXPECT_TRUE(count > 100);
    EXPECT_EQ(kstack_alloc(&more), ERR_NO_MEMORY);
    EXPECT_EQ(more, 7);
    kstack_free(top[count - 1]);
    EXPECT_OK(kstack_alloc(&more));
    EXPECT_EQ(more, top[count - 1]);
}

static void free_slot_twice(void *unused)
{
    vaddr_t top = 0;

    (void)unused;
    if (kstack_alloc(&top) == OK) {
        kstack_free(top);
        kstack_free(top);
    }
}

static void free_slot_inside(void *unused)
{
    vaddr_t top = 0;

    (void)unused;
    if (kstack_alloc(&top) == OK) {
        kstack_free(top - 16);
    }
}

static void free_no_slot(void *unused)
{
    (void)unused;
    kstack_free(KSTACK_BASE);
}

TEST(kstack, wrong_frees_panic)
{
    machine_init(PAGES);
    EXPECT_TRUE(dies_by_assertion(free_slot_twice, NULL));
    EXPECT_TRUE(dies_by_assertion(free_slot_inside, NULL));
    EXPECT_TRUE(dies_by_assertion(free_no_slot, NULL));
}
