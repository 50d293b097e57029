/* SPDX-License-Identifier: MIT */
/* Mapping and unmapping memory. */
#include <string.h>

#include "user/lib/test.h"

#define AREA ((char *)0x3000000000UL) /* nothing else is there */
#define READ_WRITE (PROTECT_READ | PROTECT_WRITE)
#define PAGES 8UL

static bool all_zero(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

TEST(user_memory, fresh_memory_is_zero_every_time)
{
    for (int i = 0; i < 20; i++) {
        int64_t address = memory_map(NULL, PAGES * PAGE_BYTES, READ_WRITE);

        ASSERT(address > 0);
        char *bytes = (char *)address;

        EXPECT(all_zero(bytes, PAGES * PAGE_BYTES));
        memset(bytes, 0x77, PAGES * PAGE_BYTES);
        ASSERT_EQUAL(memory_unmap(bytes, PAGES * PAGE_BYTES), OK);
    }
}

TEST(user_memory, chosen_address_is_used)
{
    EXPECT_EQUAL(memory_map(AREA, PAGE_BYTES, READ_WRITE), (int64_t)AREA);
    AREA[0] = 5;
    EXPECT_EQUAL(memory_unmap(AREA, PAGE_BYTES), OK);
}

TEST(user_memory, overlap_is_refused)
{
    ASSERT_EQUAL(memory_map(AREA, 2 * PAGE_BYTES, READ_WRITE), (int64_t)AREA);
    EXPECT_EQUAL(memory_map(AREA + PAGE_BYTES, 2 * PAGE_BYTES, READ_WRITE), ERR_EXISTS);
    EXPECT_EQUAL(memory_map(AREA, PAGE_BYTES, PROTECT_READ), ERR_EXISTS);
    EXPECT_EQUAL(memory_unmap(AREA, 2 * PAGE_BYTES), OK);
}

TEST(user_memory, writable_and_executable_is_refused)
{
    EXPECT_EQUAL(memory_map(NULL, PAGE_BYTES, READ_WRITE | PROTECT_EXECUTE), ERR_INVALID);
    EXPECT_EQUAL(memory_map(NULL, PAGE_BYTES, PROTECT_WRITE | PROTECT_EXECUTE), ERR_INVALID);
}

TEST(user_memory, bad_ranges_are_refused)
{
    EXPECT_EQUAL(memory_map(NULL, 0, READ_WRITE), ERR_INVALID);
    EXPECT_EQUAL(memory_map(AREA + 1, PAGE_BYTES, READ_WRITE), ERR_INVALID);
    EXPECT_EQUAL(memory_map((void *)USER_TOP, PAGE_BYTES, READ_WRITE), ERR_INVALID);
    EXPECT_EQUAL(memory_map((void *)(USER_TOP - PAGE_BYTES), 2 * PAGE_BYTES, READ_WRITE),
                 ERR_INVALID);
    EXPECT_EQUAL(memory_map((void *)0xffffffff80200000UL, PAGE_BYTES, READ_WRITE), ERR_INVALID);
    EXPECT_EQUAL(memory_map(AREA, ~0UL, READ_WRITE), ERR_INVALID);
    EXPECT_EQUAL(memory_map(AREA, ~0UL - PAGE_BYTES + 1, READ_WRITE), ERR_INVALID);
    EXPECT_EQUAL(memory_map(NULL, PAGE_BYTES, 1UL << 20), ERR_INVALID);
    EXPECT_EQUAL(memory_map(NULL, PAGE_BYTES, 1UL << 40), ERR_INVALID);
}

TEST(user_memory, unmapping_what_is_not_mapped_is_refused)
{
    EXPECT_EQUAL(memory_unmap(AREA, PAGE_BYTES), ERR_NOT_FOUND);
    EXPECT_EQUAL(memory_unmap(AREA, 0), ERR_INVALID);
    EXPECT_EQUAL(memory_unmap(AREA + 8, PAGE_BYTES), ERR_INVALID);
    EXPECT_EQUAL(memory_unmap((void *)0xffffffff80200000UL, PAGE_BYTES), ERR_INVALID);
    ASSERT_EQUAL(memory_map(AREA, PAGE_BYTES, READ_WRITE), (int64_t)AREA);
    EXPECT_EQUAL(memory_unmap(AREA, 2 * PAGE_BYTES), ERR_NOT_FOUND);
    AREA[0] = 1;
    EXPECT_EQUAL(memory_unmap(AREA, PAGE_BYTES), OK);
    EXPECT_EQUAL(memory_unmap(AREA, PAGE_BYTES), ERR_NOT_FOUND);
}

TEST(user_memory, a_part_can_be_unmapped)
{
    ASSERT_EQUAL(memory_map(AREA, 3 * PAGE_BYTES, READ_WRITE), (int64_t)AREA);
    memset(AREA, 3, 3 * PAGE_BYTES);
    EXPECT_EQUAL(memory_unmap(AREA + PAGE_BYTES, PAGE_BYTES), OK);
    EXPECT_EQUAL(AREA[0] + AREA[2 * PAGE_BYTES], 6);
    EXPECT_EQUAL(debug_write(AREA + PAGE_BYTES, 1), ERR_FAULT);
    EXPECT_EQUAL(memory_map(AREA + PAGE_BYTES, PAGE_BYTES, PROTECT_READ),
                 (int64_t)(AREA + PAGE_BYTES));
    EXPECT(all_zero(AREA + PAGE_BYTES, PAGE_BYTES));
    EXPECT_EQUAL(memory_unmap(AREA, 3 * PAGE_BYTES), OK);
}

TEST(user_memory, unmapped_memory_is_out_of_reach)
{
    char *bytes = (char *)memory_map(NULL, PAGE_BYTES, READ_WRITE);

    ASSERT((int64_t)bytes > 0);
    strcpy(bytes, "\n");
    EXPECT_EQUAL(debug_write(bytes, 0), OK);
    EXPECT_EQUAL(memory_unmap(bytes, PAGE_BYTES), OK);
    EXPECT_EQUAL(debug_write(bytes, 1), ERR_FAULT);
}

/* The page below and the page above a mapping that the kernel placed are free. */
TEST(user_memory, placed_mappings_have_guards)
{
    char *bytes = (char *)memory_map(NULL, PAGE_BYTES, READ_WRITE);
    char *more = (char *)memory_map(NULL, PAGE_BYTES, READ_WRITE);

    ASSERT((int64_t)bytes > 0 && (int64_t)more > 0);
    EXPECT_EQUAL(debug_write(bytes - 1, 1), ERR_FAULT);
    EXPECT_EQUAL(debug_write(bytes + PAGE_BYTES, 1), ERR_FAULT);
    EXPECT_EQUAL(debug_write(more - 1, 1), ERR_FAULT);
    EXPECT_EQUAL(debug_write(more + PAGE_BYTES, 1), ERR_FAULT);
    memory_unmap(bytes, PAGE_BYTES);
    memory_unmap(more, PAGE_BYTES);
}

TEST(user_memory, too_much_memory_is_refused_and_nothing_is_lost)
{
    EXPECT_EQUAL(memory_map(NULL, 1UL << 35, READ_WRITE), ERR_NO_MEMORY);
    char *bytes = (char *)memory_map(NULL, PAGE_BYTES, READ_WRITE);

    ASSERT((int64_t)bytes > 0);
    EXPECT_EQUAL(memory_unmap(bytes, PAGE_BYTES), OK);
}
