/* SPDX-License-Identifier: MIT */
/* Tests when page tables go back. */

#include "mm/vspace.h"

#include "kernel/abi/limits.h"
#include "tests/host/space.h"
#include "tests/test.h"

TEST(vspace, a_table_emptied_by_a_page_alone_stays_until_the_next_one)
{
    uint64_t empty;

    space_start();
    EXPECT_OK(space_map(0x40000000, 1));
    EXPECT_OK(space_map(0x80000000, 1));
    EXPECT_OK(space_map(0xc0000000, 1));
    space_touch(0x40000000, 1);
    empty = space->tables;
    space_touch(0x80000000, 1);
    space_touch(0xc0000000, 1);
    EXPECT_EQ(space->tables, empty + 4);
    EXPECT_OK(vspace_unmap(space, 0x80000000, PAGE_BYTES));
    EXPECT_EQ(space->tables, empty + 4);
    EXPECT_OK(vspace_unmap(space, 0xc0000000, PAGE_BYTES));
    EXPECT_EQ(space->tables, empty + 2);
    EXPECT_OK(space_map(0x80000000, 1)); /* its tables are made anew */
    space_touch(0x80000000, 1);
    EXPECT_EQ(space->tables, empty + 4);
    EXPECT_OK(space_map(0xc0000000, 2)); /* not a page alone: its tables go */
    EXPECT_OK(vspace_unmap(space, 0xc0000000, 2 * PAGE_BYTES));
    EXPECT_EQ(space->tables, empty + 2);
    space_finish();
}

TEST(vspace, tables_go_back_when_they_are_empty)
{
    uint64_t empty;

    space_start();
    EXPECT_OK(space_map(0x40000000, 1));
    space_touch(0x40000000, 1);
    empty = space->tables;
    EXPECT_OK(space_map(0x80000000 + 510 * PAGE_BYTES, 4));
    EXPECT_OK(space_map(0x80000000 + 1024 * PAGE_BYTES, 2));
    space_touch(0x80000000 + 510 * PAGE_BYTES, 4);
    space_touch(0x80000000 + 1024 * PAGE_BYTES, 1);
    EXPECT_EQ(space->tables, empty + 1 + 3);
    EXPECT_OK(vspace_unmap(space, 0x80000000 + 510 * PAGE_BYTES, 2 * PAGE_BYTES));
    EXPECT_EQ(space->tables, empty + 1 + 2);
    EXPECT_OK(vspace_unmap(space, 0x80000000 + 512 * PAGE_BYTES, 2 * PAGE_BYTES));
    EXPECT_OK(vspace_unmap(space, 0x80000000 + 1024 * PAGE_BYTES, 2 * PAGE_BYTES));
    EXPECT_EQ(space->tables, empty);
    EXPECT_EQ(space->pages, 1);
    space_finish();
}
