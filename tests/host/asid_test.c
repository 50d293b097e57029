/* SPDX-License-Identifier: MIT */
/* Tests numbers of address spaces on a pretended machine with three for each core. */
#include "mm/asid.h"

#include "arch/core.h"
#include "arch/mmu.h"
#include "tests/host/machine.h"
#include "tests/host/space.h"
#include "tests/test.h"

#define SPACES 8U

static struct vspace *spaces[SPACES];

static void begin(void)
{
    space_start();
    for (unsigned i = 0; i < SPACES; i++) {
        EXPECT_OK(vspace_create(&space_account, &spaces[i]));
    }
}

static void finish(void)
{
    machine_be_core(0);
    for (unsigned i = 0; i < SPACES; i++) {
        vspace_destroy(spaces[i]);
    }
    space_finish();
}

/* The number under which core `cpu`, which the thread becomes, runs the space. */
static uint16_t enter(cpu_t cpu, unsigned i)
{
    space_run_core(cpu, spaces[i]);
    EXPECT_EQ(mmu_loaded_satp(), spaces[i]->satp[cpu]);
    return mmu_satp_asid(mmu_loaded_satp());
}

TEST(asid, a_space_has_entries_only_on_cores_that_ran_it)
{
    begin();
    for (cpu_t cpu = 0; cpu < MACHINE_CORES; cpu++) {
        EXPECT_EQ(spaces[0]->satp[cpu], 0);
    }
    EXPECT_EQ(enter(1, 0), 1);
    EXPECT_EQ(enter(1, 1), 2);
    EXPECT_EQ(enter(3, 1), 1); /* numbers are a core's own */
    EXPECT_EQ(spaces[0]->satp[1], mmu_satp(spaces[0]->root, 1));
    EXPECT_EQ(spaces[0]->satp[0], 0);
    EXPECT_EQ(spaces[0]->satp[3], 0);
    EXPECT_EQ(enter(1, 0), 1); /* and stay */
    finish();
}

TEST(asid, the_kernel_has_number_0_on_every_core)
{
    begin();
    EXPECT_EQ(enter(2, 0), 1);
    space_run_core(2, NULL);
    EXPECT_EQ(mmu_loaded_satp(), mmu_kernel_satp());
    EXPECT_EQ(asid_entries(NULL)[2], mmu_kernel_satp());
    finish();
}

TEST(asid, an_emptied_entry_gets_a_new_number)
{
    begin();
    EXPECT_EQ(enter(0, 0), 1);
    space_run_core(0, NULL);
    asid_drop(spaces[0], 0);
    EXPECT_EQ(spaces[0]->satp[0], 0);
    EXPECT_EQ(enter(0, 0), 2);
    EXPECT_EQ(asid_roll_overs(0), 0);
    finish();
}

/* The root of the space that a core may remember under a number. */
static paddr_t owner[MACHINE_CORES][4];
static uint64_t loaded_at_flush;

static void note_flush(vaddr_t address, uint64_t bytes, uint16_t number)
{
    EXPECT_TRUE(address == 0 && bytes == ~0UL && number >= 1 && number <= 3);
    owner[core_index()][number] = 0;
    loaded_at_flush = mmu_loaded_satp();
}

TEST(asid, a_core_without_a_number_left_begins_again)
{
    begin();
    EXPECT_EQ(enter(1, 7), 1);
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_EQ(enter(0, i), i + 1);
    }
    machine_on_flush = note_flush;
    EXPECT_EQ(enter(0, 3), 1);
    EXPECT_EQ(loaded_at_flush, mmu_kernel_satp()); /* no walks of the space that had the number */
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_EQ(spaces[i]->satp[0], 0);
    }
    EXPECT_NE(spaces[7]->satp[1], 0); /* of no concern to others */
    EXPECT_EQ(asid_roll_overs(0), 1);
    EXPECT_EQ(asid_roll_overs(1), 0);
    EXPECT_EQ(enter(0, 0), 2);
    machine_on_flush = NULL;
    finish();
}

/* All cores leave the space; it ends, and another comes in its place. */
static void replace(unsigned i)
{
    for (cpu_t cpu = 0; cpu < MACHINE_CORES; cpu++) {
        space_run_core(cpu, NULL);
    }
    vspace_destroy(spaces[i]);
    EXPECT_OK(vspace_create(&space_account, &spaces[i]));
}

TEST(asid, a_number_is_flushed_before_another_space_has_it)
{
    uint32_t random = 1;

    begin();
    machine_on_flush = note_flush;
    for (unsigned round = 0; round < 5000; round++) {
        cpu_t cpu = (random = random * 1664525U + 1013904223U) >> 8 & (MACHINE_CORES - 1);
        unsigned i = random >> 16 & (SPACES - 1);
        uint16_t number = enter(cpu, i);

        ASSERT_TRUE(number >= 1 && number <= 3);
        EXPECT_TRUE(owner[cpu][number] == 0 || owner[cpu][number] == spaces[i]->root);
        owner[cpu][number] = spaces[i]->root;
        if (round % 16 == 15) {
            replace(i);
        }
    }
    machine_on_flush = NULL;
    finish();
}

TEST(asid, without_numbers_every_space_runs_as_0_and_still_has_entries)
{
    begin();
    asid_init(0, MACHINE_CORES);
    for (unsigned i = 0; i < SPACES; i++) {
        asid_add_space(spaces[i]);
        EXPECT_EQ(enter(1, i), 0);
        EXPECT_NE(spaces[i]->satp[1], 0);
    }
    asid_add_space(space);
    EXPECT_EQ(asid_roll_overs(1), 0);
    finish();
}
