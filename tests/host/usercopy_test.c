/* SPDX-License-Identifier: MIT */
/* Tests copies from and to user memory. */

#include <string.h>

#include "arch/usercopy.h"
#include "tests/host/space.h"
#include "tests/test.h"

TEST(usercopy, copies_across_pages_both_ways)
{
    static uint8_t out[3 * PAGE_BYTES];
    static uint8_t in[3 * PAGE_BYTES];

    space_start();
    EXPECT_OK(space_map(SPACE_BASE, 4));
    for (unsigned i = 0; i < sizeof out; i++) {
        out[i] = (uint8_t)(i * 7);
    }
    EXPECT_OK(usercopy_out(space, user_addr(SPACE_BASE + 1000), out, sizeof out));
    EXPECT_OK(usercopy_in(space, in, user_addr(SPACE_BASE + 1000), sizeof in));
    EXPECT_TRUE(memcmp(in, out, sizeof in) == 0);
    space_finish();
}

TEST(usercopy, bad_ranges_fault_before_a_byte_moves)
{
    uint8_t buffer[PAGE_BYTES];
    uint8_t first = 1;

    space_start();
    EXPECT_OK(space_map(SPACE_BASE, 1));
    EXPECT_OK(space_map(USER_TOP - PAGE_BYTES, 1));
    memset(buffer, 0xff, sizeof buffer);
    EXPECT_EQ(usercopy_out(space, user_addr(SPACE_BASE + 1), buffer, PAGE_BYTES), ERR_FAULT);
    EXPECT_OK(usercopy_in(space, &first, user_addr(SPACE_BASE + 1), 1));
    EXPECT_EQ(first, 0);
    EXPECT_EQ(usercopy_in(space, buffer, user_addr(0), 1), ERR_FAULT);
    EXPECT_EQ(usercopy_in(space, buffer, user_addr(USER_TOP - 1), 2), ERR_FAULT);
    EXPECT_OK(usercopy_in(space, &first, user_addr(USER_TOP - 1), 1));
    EXPECT_EQ(usercopy_in(space, buffer, user_addr(0xffffffff80200000), 8), ERR_FAULT);
    EXPECT_EQ(usercopy_in(space, buffer, user_addr(SPACE_BASE), SIZE_MAX), ERR_FAULT);
    EXPECT_EQ(usercopy_in(space, buffer, user_addr(UINT64_MAX), 2), ERR_FAULT);
    EXPECT_OK(usercopy_in(space, NULL, user_addr(0xffffffff80200000), 0));
    EXPECT_EQ(buffer[0], 0xff);
    EXPECT_FALSE(usercopy_range_ok(user_addr(SPACE_BASE), SIZE_MAX));
    EXPECT_FALSE(usercopy_range_ok(user_addr(USER_TOP), 1));
    EXPECT_TRUE(usercopy_range_ok(user_addr(USER_TOP - 1), 1));
    space_finish();
}

TEST(usercopy, strings_end_at_their_zero)
{
    char text[64];
    size_t length = 0;

    space_start();
    EXPECT_OK(space_map(SPACE_BASE, 1));
    EXPECT_OK(usercopy_out(space, user_addr(SPACE_BASE + PAGE_BYTES - 6), "hello", 6));
    /* The buffer is larger than what is mapped: only the page of the zero is read. */
    EXPECT_OK(usercopy_string(space, text, user_addr(SPACE_BASE + PAGE_BYTES - 6), 64, &length));
    EXPECT_TEXT(text, "hello");
    EXPECT_EQ(length, 5);
    EXPECT_EQ(usercopy_string(space, text, user_addr(SPACE_BASE + PAGE_BYTES - 6), 5, NULL),
              ERR_INVALID);
    EXPECT_OK(usercopy_out(space, user_addr(SPACE_BASE + PAGE_BYTES - 1), "x", 1));
    EXPECT_EQ(usercopy_string(space, text, user_addr(SPACE_BASE + PAGE_BYTES - 1), 64, NULL),
              ERR_FAULT);
    EXPECT_EQ(usercopy_string(space, text, user_addr(USER_TOP), 64, NULL), ERR_FAULT);
    space_finish();
}
