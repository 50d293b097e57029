/* SPDX-License-Identifier: MIT */
/* Tests address spaces on a pretended machine. */

#include <stdlib.h>
#include <string.h>

#include "arch/layout.h"
#include "arch/usercopy.h"
#include "kernel/abi/syscall.h"
#include "mm/fail.h"
#include "mm/frame.h"
#include "tests/host/machine.h"
#include "tests/host/space.h"
#include "tests/test.h"

TEST(vspace, empty_space_holds_one_page_and_gives_it_back)
{
    space_start();
    EXPECT_EQ(account_pages(&space_account), 2); /* the root and the slab of the space */
    EXPECT_NE(space->asid, 0);
    EXPECT_FALSE(space->flush_on_switch);
    space_finish();
}

TEST(vspace, mapped_pages_are_zero_and_have_their_protection)
{
    vaddr_t mapped = 0;
    paddr_t physical = 0;

    space_start();
    EXPECT_OK(vspace_map_anonymous(space, SPACE_BASE, 2 * PAGE_BYTES + 1, SPACE_RW, &mapped));
    EXPECT_EQ(mapped, SPACE_BASE);
    EXPECT_EQ(space->pages, 3);
    EXPECT_OK(vspace_translate(space, SPACE_BASE + 0x1234, SPACE_RW, &physical));
    EXPECT_EQ(physical % PAGE_BYTES, 0x234);
    EXPECT_EQ(*(uint8_t *)direct_map(physical), 0);
    EXPECT_EQ(vspace_translate(space, SPACE_BASE, PROTECT_EXECUTE, &physical), ERR_FAULT);
    EXPECT_EQ(vspace_translate(space, SPACE_BASE + 3 * PAGE_BYTES, 0, &physical), ERR_FAULT);
    EXPECT_OK(vspace_map_anonymous(space, 0x800000, 1, PROTECT_EXECUTE, &mapped));
    EXPECT_OK(vspace_translate(space, 0x800000, PROTECT_READ | PROTECT_EXECUTE, &physical));
    EXPECT_EQ(vspace_translate(space, 0x800000, PROTECT_WRITE, &physical), ERR_FAULT);
    space_finish();
}

TEST(vspace, bad_arguments_are_refused)
{
    vaddr_t mapped = 77;

    space_start();
    EXPECT_EQ(vspace_map_anonymous(space, SPACE_BASE, 0, SPACE_RW, &mapped), ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, SPACE_BASE + 1, 1, SPACE_RW, &mapped), ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, SPACE_BASE, 1, PROTECT_WRITE | PROTECT_EXECUTE, &mapped),
              ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, SPACE_BASE, 1, 8, &mapped), ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, USER_TOP, 1, SPACE_RW, &mapped), ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, USER_TOP - PAGE_BYTES, PAGE_BYTES + 1, SPACE_RW, &mapped),
              ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, SPACE_BASE, UINT64_MAX, SPACE_RW, &mapped), ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, 0, USER_TOP, SPACE_RW, &mapped), ERR_INVALID);
    EXPECT_EQ(vspace_map_anonymous(space, KSTACK_BASE, 1, SPACE_RW, &mapped), ERR_INVALID);
    EXPECT_EQ(vspace_unmap(space, SPACE_BASE, 0), ERR_INVALID);
    EXPECT_EQ(vspace_unmap(space, SPACE_BASE, UINT64_MAX), ERR_INVALID);
    EXPECT_EQ(vspace_unmap(space, 0, 1), ERR_INVALID);
    EXPECT_EQ(mapped, 77);
    space_finish();
}

TEST(vspace, overlap_is_refused)
{
    space_start();
    EXPECT_OK(space_map(SPACE_BASE, 4));
    EXPECT_EQ(space_map(SPACE_BASE, 1), ERR_EXISTS);
    EXPECT_EQ(space_map(SPACE_BASE + 3 * PAGE_BYTES, 9), ERR_EXISTS);
    EXPECT_EQ(space_map(SPACE_BASE - PAGE_BYTES, 9), ERR_EXISTS);
    EXPECT_OK(space_map(SPACE_BASE + 4 * PAGE_BYTES, 1));
    EXPECT_OK(space_map(SPACE_BASE - PAGE_BYTES, 1));
    EXPECT_EQ(space->pages, 6);
    space_finish();
}

TEST(vspace, chosen_places_have_unmapped_neighbours)
{
    vaddr_t place[3] = {0};

    space_start();
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_OK(vspace_map_anonymous(space, 0, 2 * PAGE_BYTES, SPACE_RW, &place[i]));
        EXPECT_TRUE(space_is_mapped(place[i]));
        EXPECT_FALSE(space_is_mapped(place[i] - 1));
        EXPECT_FALSE(space_is_mapped(place[i] + 2 * PAGE_BYTES));
    }
    EXPECT_OK(vspace_unmap(space, place[1], 2 * PAGE_BYTES));
    EXPECT_OK(vspace_map_anonymous(space, 0, PAGE_BYTES, SPACE_RW, &place[0]));
    EXPECT_EQ(place[0], place[1]); /* the hole is used again */
    space_finish();
}

TEST(vspace, unmap_splits_regions_and_keeps_the_rest)
{
    space_start();
    EXPECT_OK(space_map(SPACE_BASE, 5));
    EXPECT_OK(vspace_unmap(space, SPACE_BASE + PAGE_BYTES, PAGE_BYTES));
    EXPECT_OK(vspace_unmap(space, SPACE_BASE + 3 * PAGE_BYTES, PAGE_BYTES));
    for (unsigned i = 0; i < 5; i++) {
        EXPECT_EQ(space_is_mapped(SPACE_BASE + i * PAGE_BYTES), i % 2 == 0);
    }
    EXPECT_EQ(space->region_count, 3);
    EXPECT_EQ(vspace_unmap(space, SPACE_BASE, 2 * PAGE_BYTES), ERR_NOT_FOUND);
    EXPECT_EQ(vspace_unmap(space, SPACE_BASE + PAGE_BYTES, 2 * PAGE_BYTES), ERR_NOT_FOUND);
    EXPECT_TRUE(space_is_mapped(SPACE_BASE));
    EXPECT_OK(space_map(SPACE_BASE + PAGE_BYTES, 1));
    EXPECT_OK(vspace_unmap(space, SPACE_BASE, 3 * PAGE_BYTES)); /* three regions at once */
    EXPECT_OK(vspace_unmap(space, SPACE_BASE + 4 * PAGE_BYTES, PAGE_BYTES));
    EXPECT_EQ(space->region_count, 0);
    EXPECT_EQ(space->pages, 0);
    space_finish();
}

static uint64_t free_at_flush;

static void note_free_pages(vaddr_t address, uint64_t bytes, uint16_t asid)
{
    (void)address;
    (void)bytes;
    test_check(asid == space->asid, __FILE__, __LINE__, "the flush is for the space");
    free_at_flush = machine_free_pages();
}

TEST(vspace, frames_are_freed_only_after_the_flush)
{
    uint64_t before;

    space_start();
    EXPECT_OK(space_map(0x800000, 1)); /* keeps the page of the region records */
    EXPECT_OK(space_map(SPACE_BASE, 100));
    machine_on_flush = note_free_pages;
    before = machine_free_pages();
    EXPECT_OK(vspace_unmap(space, SPACE_BASE, 100 * PAGE_BYTES));
    EXPECT_EQ(free_at_flush, before);
    EXPECT_EQ(machine_free_pages(), before + 100);
    machine_on_flush = NULL;
    space_finish();
}

TEST(vspace, quota_and_memory_run_out_cleanly)
{
    space_start();
    EXPECT_EQ(space_map(SPACE_BASE, 1000), ERR_NO_MEMORY); /* the root is charged too */
    EXPECT_EQ(account_pages(&space_account), 3);           /* and the regions' slab */
    EXPECT_EQ(space_map(SPACE_BASE, 999), ERR_NO_MEMORY);  /* no quota for the tables */
    EXPECT_FALSE(space_is_mapped(SPACE_BASE));
    EXPECT_EQ(space->region_count, 0);
    EXPECT_OK(space_map(SPACE_BASE, 900));
    space_finish();
    account_init(&space_account, ACCOUNT_UNLIMITED);
    EXPECT_OK(vspace_create(&space_account, &space));
    EXPECT_EQ(space_map(SPACE_BASE, SPACE_RAM_PAGES), ERR_NO_MEMORY);
    EXPECT_EQ(space->pages, 0);
    EXPECT_OK(space_map(SPACE_BASE, 16));
    space_finish();
}

TEST(vspace, spaces_beyond_the_last_asid_flush_on_switch)
{
    struct vspace *other[4];

    space_start();
    for (unsigned i = 0; i < 4; i++) {
        EXPECT_OK(vspace_create(&space_account, &other[i]));
        EXPECT_EQ(other[i]->flush_on_switch, i >= 2); /* the machine has 3 */
        EXPECT_EQ(other[i]->asid != 0, i < 2);
    }
    for (unsigned i = 0; i < 4; i++) {
        vspace_destroy(other[i]);
    }
    EXPECT_OK(vspace_create(&space_account, &other[0]));
    EXPECT_NE(other[0]->asid, 0);
    EXPECT_NE(other[0]->asid, space->asid);
    vspace_destroy(other[0]);
    space_finish();
}

TEST(vspace, loader_writes_where_the_user_may_not)
{
    static char text[3 * PAGE_BYTES];
    char back[sizeof text];
    vaddr_t mapped;

    space_start();
    memset(text, 'x', sizeof text);
    EXPECT_OK(vspace_map_anonymous(space, SPACE_BASE, 4 * PAGE_BYTES, PROTECT_EXECUTE, &mapped));
    EXPECT_OK(vspace_write(space, SPACE_BASE + 100, text, sizeof text));
    EXPECT_OK(usercopy_in(space, back, user_addr(SPACE_BASE + 100), sizeof back));
    EXPECT_TRUE(memcmp(back, text, sizeof text) == 0);
    EXPECT_EQ(usercopy_out(space, user_addr(SPACE_BASE), text, 1), ERR_FAULT);
    EXPECT_EQ(vspace_write(space, SPACE_BASE + 2 * PAGE_BYTES, text, sizeof text), ERR_FAULT);
    EXPECT_EQ(vspace_write(space, UINT64_MAX, text, sizeof text), ERR_FAULT);
    space_finish();
}

TEST(vspace, random_maps_and_unmaps_balance)
{
    bool mapped[64] = {false};

    space_start();
    srand(1);
    for (unsigned round = 0; round < 20000; round++) {
        unsigned first = (unsigned)rand() % 64;
        unsigned count = 1 + (unsigned)rand() % (64 - first > 8 ? 8 : 64 - first);
        bool all = true;
        bool none = true;

        for (unsigned i = first; i < first + count; i++) {
            all = all && mapped[i];
            none = none && !mapped[i];
        }
        if (rand() % 2 == 0) {
            EXPECT_EQ(space_map(SPACE_BASE + first * PAGE_BYTES, count), none ? OK : ERR_EXISTS);
            all = none; /* what was done */
        } else {
            EXPECT_EQ(vspace_unmap(space, SPACE_BASE + first * PAGE_BYTES, count * PAGE_BYTES),
                      all ? OK : ERR_NOT_FOUND);
        }
        for (unsigned i = first; all && i < first + count; i++) {
            mapped[i] = !mapped[i];
        }
    }
    for (unsigned i = 0; i < 64; i++) {
        EXPECT_EQ(space_is_mapped(SPACE_BASE + i * PAGE_BYTES), mapped[i]);
    }
    space_finish();
}

/* What a domain does with its space; the first error. Leaves nothing mapped. */
static status_t exercise(void)
{
    struct vspace *other;
    vaddr_t mapped;
    status_t status = vspace_create(&space_account, &other);

    if (status != OK) {
        return status;
    }
    status = vspace_map_anonymous(other, 0, 6 * PAGE_BYTES, SPACE_RW, &mapped);
    if (status == OK) {
        status = vspace_unmap(other, mapped + PAGE_BYTES, PAGE_BYTES);
    }
    vspace_destroy(other);
    return status;
}

TEST(vspace, every_allocation_that_fails_is_an_error_without_a_leak)
{
    uint64_t nth = 0;
    status_t status;

    space_start();
    do {
        uint64_t free_before = machine_free_pages();
        uint64_t charged_before = account_pages(&space_account);

        fail_nth_allocation(++nth);
        status = exercise();
        EXPECT_EQ(status, fail_is_pending() ? OK : ERR_NO_MEMORY);
        fail_nth_allocation(0);
        EXPECT_EQ(machine_free_pages(), free_before);
        EXPECT_EQ(account_pages(&space_account), charged_before);
    } while (status == ERR_NO_MEMORY && nth < 100);
    EXPECT_TRUE(nth > 10 && nth < 100);
    space_finish();
}
