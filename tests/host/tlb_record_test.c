/* SPDX-License-Identifier: MIT */
/* Tests that the record of the TLBs finds what a forgotten flush would do. */
#include "mm/tlb_record.h"

#include "arch/mmu.h"
#include "kernel/abi/limits.h"
#include "mm/shootdown.h"
#include "tests/host/death.h"
#include "tests/host/machine.h"
#include "tests/host/space.h"
#include "tests/test.h"

/* Maps a page and answers its frame. */
static paddr_t map_page(void)
{
    paddr_t page = 0;

    EXPECT_OK(space_map(SPACE_BASE, 1));
    space_touch(SPACE_BASE, 1);
    EXPECT_OK(vspace_translate(space, SPACE_BASE, 0, &page));
    return page;
}

static void check_free(void *page)
{
    tlb_record_check_free(*(paddr_t *)page, PAGE_BYTES);
}

TEST(tlb_record, a_frame_that_a_core_may_reach_is_not_freed)
{
    paddr_t page;

    space_start();
    page = map_page();
    tlb_record_note_clear(space, SPACE_BASE, page);
    EXPECT_FALSE(dies_by_assertion(check_free, &page)); /* nobody ran the space */
    space_run_core(3, space);
    tlb_record_note_clear(space, SPACE_BASE, page);
    EXPECT_TRUE(dies_by_assertion(check_free, &page));
    shootdown(space, SPACE_BASE, PAGE_BYTES);
    space_finish();
}

TEST(tlb_record, a_frame_may_be_freed_when_each_core_has_flushed_it_or_lost_its_entry)
{
    paddr_t page;

    space_start();
    page = map_page();
    space_run_core(2, space);
    space_run_core(2, NULL);
    space_run_core(1, space);
    space_run_core(0, space);
    tlb_record_note_clear(space, SPACE_BASE, page);
    shootdown(space, SPACE_BASE + PAGE_BYTES, PAGE_BYTES); /* the page beside it */
    EXPECT_TRUE(dies_by_assertion(check_free, &page));
    shootdown(space, SPACE_BASE, PAGE_BYTES);
    EXPECT_FALSE(dies_by_assertion(check_free, &page));
    space_finish();
}

/* The entry stays, so the space may come back under its number. */
TEST(tlb_record, a_flush_of_the_whole_space_while_another_runs_does_not_end_the_record)
{
    paddr_t page;

    space_start();
    page = map_page();
    space_run_core(0, space);
    space_run_core(0, NULL);
    shootdown(space, SPACE_BASE, (SHOOTDOWN_PAGES + 1) * PAGE_BYTES);
    space_run_core(0, space);
    tlb_record_note_clear(space, SPACE_BASE, page);
    EXPECT_TRUE(dies_by_assertion(check_free, &page));
    shootdown(space, SPACE_BASE, PAGE_BYTES);
    EXPECT_FALSE(dies_by_assertion(check_free, &page));
    space_finish();
}

static void assign(void *number)
{
    tlb_record_assign(*(uint16_t *)number, space);
}

TEST(tlb_record, a_number_is_not_given_again_before_it_is_flushed)
{
    uint16_t number;

    space_start();
    space_run_core(1, space);
    number = mmu_satp_asid(space->satp[1]);
    EXPECT_TRUE(dies_by_assertion(assign, &number));
    tlb_record_flush(SPACE_BASE, PAGE_BYTES, number); /* one page of it */
    EXPECT_TRUE(dies_by_assertion(assign, &number));
    tlb_record_flush(0, ~0UL, number); /* it is loaded and goes on filling the TLB */
    EXPECT_TRUE(dies_by_assertion(assign, &number));
    space_run_core(1, NULL);
    tlb_record_flush(0, ~0UL, number);
    EXPECT_FALSE(dies_by_assertion(assign, &number));
    space_finish();
}

TEST(tlb_record, frames_beyond_its_notes_are_counted)
{
    space_start();
    space_run_core(0, space);
    for (unsigned i = 0; i < TLB_RECORD_NOTES; i++) {
        tlb_record_note_clear(space, SPACE_BASE, MACHINE_RAM_BASE);
    }
    EXPECT_EQ(tlb_record_missed(), 0);
    tlb_record_note_clear(space, SPACE_BASE, MACHINE_RAM_BASE);
    EXPECT_EQ(tlb_record_missed(), 1);
    shootdown(space, SPACE_BASE, PAGE_BYTES);
    space_finish();
}
