/* SPDX-License-Identifier: MIT */
/* Tests numbers of address spaces on a pretended machine with three for each core. */
#include "mm/asid.h"

#include <string.h>

#include "arch/core.h"
#include "arch/mmu.h"
#include "arch/smp.h"
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
    machine_be_core(cpu);
    vspace_activate(spaces[i]);
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
    vspace_activate(NULL);
    EXPECT_EQ(mmu_loaded_satp(), mmu_kernel_satp());
    EXPECT_EQ(asid_entries(NULL)[2], mmu_kernel_satp());
    finish();
}

TEST(asid, an_emptied_entry_gets_a_number_that_was_not_used_since_the_last_roll_over)
{
    begin();
    EXPECT_EQ(enter(0, 0), 1);
    vspace_activate(NULL);
    asid_drop(spaces[0], 0);
    EXPECT_EQ(spaces[0]->satp[0], 0);
    EXPECT_EQ(enter(0, 0), 2);
    EXPECT_EQ(asid_roll_overs(0), 0);
    finish();
}

static unsigned whole_flushes;
static uint64_t loaded_at_flush;

static void note_flush(vaddr_t address, uint64_t bytes, uint16_t asid)
{
    if (address == 0 && bytes == ~0UL && asid == TLB_EVERY_SPACE) {
        whole_flushes++;
        loaded_at_flush = mmu_loaded_satp();
    }
}

TEST(asid, a_core_without_a_number_left_flushes_itself_and_begins_again)
{
    begin();
    EXPECT_EQ(enter(1, 7), 1);
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_EQ(enter(0, i), i + 1);
    }
    machine_on_flush = note_flush;
    EXPECT_EQ(enter(0, 3), 1);
    EXPECT_EQ(whole_flushes, 1);
    EXPECT_EQ(loaded_at_flush, mmu_kernel_satp());
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

/* Between two flushes of a core no number stands for two spaces. */
TEST(asid, no_number_is_used_for_two_spaces_between_flushes)
{
    uint64_t owner[MACHINE_CORES][4] = {{0}};
    unsigned flushes[MACHINE_CORES] = {0};

    begin();
    machine_on_flush = note_flush;
    for (unsigned round = 0; round < 5000; round++) {
        cpu_t cpu = round * 7 % MACHINE_CORES;
        unsigned i = round * round % SPACES;
        uint16_t number;

        whole_flushes = flushes[cpu];
        number = enter(cpu, i);
        if (whole_flushes != flushes[cpu]) {
            flushes[cpu] = whole_flushes;
            memset(owner[cpu], 0, sizeof(owner[cpu]));
        }
        ASSERT_TRUE(number >= 1 && number <= 3);
        EXPECT_TRUE(owner[cpu][number] == 0 || owner[cpu][number] == spaces[i]->root);
        owner[cpu][number] = spaces[i]->root;
        if (round % 16 == 15) { /* it ends, and another comes in its place */
            vspace_activate(NULL);
            for (cpu_t other = 0; other < MACHINE_CORES; other++) {
                machine_be_core(other);
                vspace_activate(NULL);
            }
            vspace_destroy(spaces[i]);
            EXPECT_OK(vspace_create(&space_account, &spaces[i]));
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
