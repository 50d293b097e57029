/* SPDX-License-Identifier: MIT */
/* Tests that the allocator ends the kernel when it is used wrongly, and names what it found. */

#include <string.h>

#include "arch/core.h"
#include "arch/layout.h"
#include "kernel/abi/limits.h"
#include "mm/drain.h"
#include "mm/frame.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"
#include "tests/host/death.h"
#include "tests/host/machine.h"
#include "tests/test.h"

#define PAGES 4096U

static size_t small = 100;
static size_t large = 5000;

static void free_twice(void *argument)
{
    char *object = spmalloc(&kernel_account, *(size_t *)argument);

    spmalloc_free(object);
    spmalloc_free(object);
}

static void free_twice_in_a_used_slab(void *release)
{
    void *other = spmalloc(&kernel_account, 100);
    void *object = spmalloc(&kernel_account, 100);
    void (*again)(void *) = release == NULL ? spmalloc_free_checked : spmalloc_free_object;

    spmalloc_free(other);
    spmalloc_free(object);
    again(other);
}

/* Freed on core 1, and again on core 1 or 2 while it is in core 1's batch. */
static void free_twice_on_the_way(void *second)
{
    void *object = spmalloc(&kernel_account, 100);

    machine_be_core(1);
    spmalloc_free(object);
    machine_set_core(*(cpu_t *)second);
    spmalloc_free_object(object);
}

static void free_twice_after_it_came_home(void *second)
{
    void *other = spmalloc(&kernel_account, 100);
    void *object = spmalloc(&kernel_account, 100);

    (void)other;
    machine_be_core(1);
    spmalloc_free(object);
    spmalloc_flush_core(1);
    while (spmalloc_collect_some(0, 64)) {
    }
    machine_set_core(*(cpu_t *)second);
    spmalloc_free_object(object);
}

TEST(spmalloc_wrong, a_second_free_is_named)
{
    cpu_t core[] = {0, 1, 2};

    machine_init(PAGES);
    EXPECT_TRUE(dies_saying(free_twice, &small, "double free of 0x"));
    EXPECT_TRUE(dies_saying(free_twice, &small, "freed before by"));
    EXPECT_TRUE(dies_saying(free_twice, &large, "a foreign pointer: its page is"));
    EXPECT_TRUE(dies_saying(free_twice_in_a_used_slab, NULL, "double free of 0x"));
    EXPECT_TRUE(dies_saying(free_twice_in_a_used_slab, &small, "double free of 0x"));
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_TRUE(dies_saying(free_twice_on_the_way, &core[i], "double free of 0x"));
        EXPECT_TRUE(dies_saying(free_twice_after_it_came_home, &core[i], "double free of 0x"));
    }
}

static void free_inside(void *argument)
{
    char *object = spmalloc(&kernel_account, *(size_t *)argument);

    spmalloc_free(object + 32);
}

/* Both, because the debug build's check comes before the fast path's own. */
static void free_inside_unchecked(void *argument)
{
    char *object = spmalloc(&kernel_account, *(size_t *)argument);

    spmalloc_free_object(object + 32);
}

/* Where an object would be if the page were longer. */
static void free_the_rest_of_a_slab(void *unused)
{
    char *object = spmalloc(&kernel_account, 160 - 16);

    (void)unused;
    spmalloc_free_object((char *)ALIGN_DOWN((uintptr_t)object, PAGE_BYTES) + 25 * 160);
}

static void free_second_page(void *unused)
{
    char *object = spmalloc(&kernel_account, 3 * PAGE_BYTES);

    (void)unused;
    spmalloc_free(object + PAGE_BYTES);
}

TEST(spmalloc_wrong, a_pointer_into_an_object_is_named)
{
    machine_init(PAGES);
    EXPECT_TRUE(dies_saying(free_inside, &small, "not the start of an object (a slab"));
    EXPECT_TRUE(dies_saying(free_inside, &large, "not the start of an object (a large"));
    EXPECT_TRUE(dies_saying(free_inside_unchecked, &small, "not the start of an object (a slab"));
    EXPECT_TRUE(dies_saying(free_inside_unchecked, &large, "not the start of an object (a large"));
    EXPECT_TRUE(dies_saying(free_the_rest_of_a_slab, NULL, "not the start of an object"));
    EXPECT_TRUE(dies_saying(free_second_page, NULL, "foreign pointer"));
}

static void free_pointer(void *pointer)
{
    spmalloc_free(pointer);
}

static void free_pointer_unchecked(void *pointer)
{
    spmalloc_free_object(pointer);
}

TEST(spmalloc_wrong, a_foreign_pointer_is_named_with_the_state_of_its_page)
{
    static int in_the_image;
    int on_the_stack = 0;

    machine_init(PAGES);
    paddr_t page = nexus_alloc_page();
    paddr_t block = frame_alloc(2);
    paddr_t free_block = frame_alloc(3);

    frame_free(free_block, 3);
    free_pointer(NULL);
    EXPECT_TRUE(dies_saying(free_pointer, &in_the_image, "in no memory bank"));
    EXPECT_TRUE(dies_saying(free_pointer, &on_the_stack, "in no memory bank"));
    EXPECT_TRUE(dies_saying(free_pointer, direct_map(page), "a single page of mm/nexus"));
    EXPECT_TRUE(dies_saying(free_pointer, direct_map(block), "a block of mm/frame"));
    EXPECT_TRUE(dies_saying(free_pointer_unchecked, direct_map(page), "a single page of mm/nexus"));
    EXPECT_TRUE(dies_saying(free_pointer_unchecked, direct_map(block), "a block of mm/frame"));
    EXPECT_TRUE(dies_saying(free_pointer_unchecked, direct_map(free_block), "foreign pointer"));
}

static unsigned at;

static void write_after_free(void *unused)
{
    char *object = spmalloc(&kernel_account, 300);

    (void)unused;
    spmalloc_free(object);
    object[at] ^= 1;
    for (unsigned i = 0; i < 100; i++) { /* the slab has fewer */
        (void)!spmalloc(&kernel_account, 300);
    }
}

static void write_after_free_and_never_again(void *unused)
{
    char *object = spmalloc(&kernel_account, 300);

    (void)unused;
    spmalloc_free(object);
    object[at] ^= 1;
    drain_all();
}

static void write_on_the_way(void *unused)
{
    char *object = spmalloc(&kernel_account, 300);

    (void)unused;
    machine_be_core(1);
    spmalloc_free(object);
    object[at] ^= 1;
    drain_all();
}

TEST(spmalloc_wrong, a_write_after_free_is_found_anywhere_in_the_object)
{
    machine_init(PAGES);
    for (at = 0; at < 300; at += 7) {
        EXPECT_TRUE(dies_saying(write_after_free, NULL, "write after free or overflow"));
        EXPECT_TRUE(
            dies_saying(write_after_free_and_never_again, NULL, "write after free or overflow"));
        if (at < 6 || at >= 16) { /* the top bits of word 0 have no check, word 1 is the chain */
            EXPECT_TRUE(dies_saying(write_on_the_way, NULL, "write after free"));
        }
    }
}

static void overflow(void *argument)
{
    size_t bytes = *(size_t *)argument;
    char *object = spmalloc(&kernel_account, bytes);

    object[bytes] ^= 1;
    spmalloc_free(object);
}

TEST(spmalloc_wrong, an_overflow_by_one_byte_is_found_when_the_object_is_freed)
{
    machine_init(PAGES);
    for (size_t bytes = 1; bytes < 2100; bytes += bytes < 64 ? 1 : 61) {
        EXPECT_TRUE(dies_saying(overflow, &bytes, "overflow: something wrote behind the end"));
    }
    EXPECT_TRUE(dies_saying(overflow, &large, "allocated by"));
}

/* What release builds find: the byte is the first of a free neighbour. */
static void overflow_into_a_free_neighbour(void *unused)
{
    struct account account;

    (void)unused;
    account_init(&account, ACCOUNT_UNLIMITED);
    for (unsigned i = 0; i < 100; i++) {
        char *object = spmalloc_small(8UL * spmalloc_class_of(256), &account);

        object[256] ^= 1; /* the neighbour is free, or was written itself */
    }
}

TEST(spmalloc_wrong, an_overflow_into_a_free_neighbour_is_found_when_that_is_taken)
{
    machine_init(PAGES);
    EXPECT_TRUE(dies_saying(overflow_into_a_free_neighbour, NULL, "write after free or overflow"));
}
