/* SPDX-License-Identifier: MIT */
/* Tests who is asked and what is flushed, on a pretended machine whose cores answer at once. */
#include "mm/shootdown.h"

#include <string.h>

#include "arch/core.h"
#include "arch/irq.h"
#include "arch/mmu.h"
#include "mm/asid.h"
#include "tests/host/machine.h"
#include "tests/host/space.h"
#include "tests/test.h"

#define RANGE SPACE_BASE, PAGE_BYTES

/* Flushes of each core, the sum of where they began, and the last one's arguments. */
static unsigned flushes[MACHINE_CORES];
static vaddr_t sum;
static struct {
    vaddr_t va;
    uint64_t bytes;
    uint16_t number;
} last;

static void note_flush(vaddr_t va, uint64_t bytes, uint16_t number)
{
    flushes[core_index()]++;
    sum += va;
    last.va = va;
    last.bytes = bytes;
    last.number = number;
}

static void listen(void)
{
    memset(flushes, 0, sizeof(flushes));
    sum = 0;
    machine_on_flush = note_flush;
    for (cpu_t cpu = 0; cpu < MACHINE_CORES; cpu++) {
        cores[cpu].ipis_sent = 0;
    }
}

static void finish(void)
{
    machine_on_flush = NULL;
    space_finish();
}

TEST(shootdown, a_space_that_nobody_ran_costs_nothing)
{
    space_start();
    listen();
    shootdown(space, RANGE);
    EXPECT_EQ(flushes[0], 0);
    EXPECT_EQ(cores[0].ipis_sent, 0);
    finish();
}

TEST(shootdown, only_cores_that_ran_the_space_are_asked)
{
    space_start();
    space_run_core(2, space);
    space_run_core(0, space);
    listen();
    shootdown(space, RANGE);
    EXPECT_EQ(flushes[0], 1);
    EXPECT_EQ(flushes[1], 0);
    EXPECT_EQ(flushes[2], 1);
    EXPECT_EQ(flushes[3], 0);
    EXPECT_EQ(last.va, SPACE_BASE);
    EXPECT_EQ(last.bytes, PAGE_BYTES);
    EXPECT_EQ(cores[0].ipis_sent, 1);
    EXPECT_NE(space->satp[2], 0);
    finish();
}

TEST(shootdown, a_core_that_left_the_space_is_asked_once_and_loses_its_entry)
{
    space_start();
    space_run_core(1, space);
    space_run_core(1, NULL);
    machine_be_core(0);
    listen();
    shootdown(space, RANGE);
    EXPECT_EQ(flushes[1], 0);
    EXPECT_EQ(space->satp[1], 0);
    EXPECT_EQ(cores[0].ipis_sent, 1);
    shootdown(space, RANGE);
    EXPECT_EQ(cores[0].ipis_sent, 1);
    finish();
}

/* The bits say what the entries say, through numbers given, emptied, and run out of. */
TEST(shootdown, who_has_an_entry_has_a_bit)
{
    space_start();
    for (unsigned i = 0; i < 40; i++) {
        cpu_t cpu = i * 7 % MACHINE_CORES;

        space_run_core(cpu, i % 5 == 4 ? NULL : space);
        if (i % 3 == 2) {
            space_run_core(cpu, NULL);
            machine_be_core((cpu + 1) % MACHINE_CORES);
            shootdown(space, RANGE);
        }
        for (cpu_t at = 0; at < MACHINE_CORES; at++) {
            EXPECT_EQ((space->entered[0] >> at & 1) != 0, space->satp[at] != 0);
        }
    }
    EXPECT_EQ(space->entered[0] >> MACHINE_CORES, 0);
    machine_be_core(0);
    finish();
}

TEST(shootdown, a_core_that_sleeps_is_not_asked_but_finds_its_entry_empty)
{
    space_start();
    space_run_core(1, space);
    space_run_core(1, NULL);
    irq_disable();
    shootdown_sleep();
    irq_enable();
    machine_be_core(0);
    listen();
    shootdown(space, RANGE);
    EXPECT_EQ(space->satp[1], 0);
    EXPECT_EQ(cores[0].ipis_sent, 0);
    EXPECT_EQ(shootdown_counts(0).emptied, 1);
    machine_be_core(1);
    shootdown_wake();
    space_run_core(1, space);
    machine_be_core(0);
    shootdown(space, RANGE); /* awake again */
    EXPECT_EQ(cores[0].ipis_sent, 1);
    EXPECT_NE(space->satp[1], 0);
    finish();
}

TEST(shootdown, a_batch_is_one_question_and_too_much_of_it_is_the_whole_space)
{
    struct shootdown batch;
    vaddr_t wanted = 0;

    space_start();
    space_run_core(1, space);
    machine_be_core(0);
    listen();
    shootdown_begin(&batch, space);
    shootdown_finish(&batch);
    EXPECT_EQ(cores[0].ipis_sent, 0);
    for (unsigned i = 0; i < SHOOTDOWN_RANGES; i++) {
        shootdown_add(&batch, SPACE_BASE + 2 * i * PAGE_BYTES, PAGE_BYTES);
        wanted += SPACE_BASE + 2 * i * PAGE_BYTES;
    }
    shootdown_finish(&batch);
    EXPECT_EQ(cores[0].ipis_sent, 1);
    EXPECT_EQ(flushes[1], SHOOTDOWN_RANGES);
    EXPECT_EQ(sum, wanted);
    for (unsigned i = 0; i <= SHOOTDOWN_RANGES; i++) {
        shootdown_add(&batch, SPACE_BASE + 2 * i * PAGE_BYTES, PAGE_BYTES);
    }
    shootdown_finish(&batch);
    EXPECT_EQ(flushes[1], SHOOTDOWN_RANGES + 1);
    EXPECT_EQ(last.bytes, ~0UL);
    shootdown(space, SPACE_BASE, SHOOTDOWN_PAGES * PAGE_BYTES);
    EXPECT_EQ(last.bytes, SHOOTDOWN_PAGES * PAGE_BYTES);
    shootdown(space, SPACE_BASE, (SHOOTDOWN_PAGES + 1) * PAGE_BYTES);
    EXPECT_EQ(last.bytes, ~0UL);
    shootdown_add(&batch, RANGE);
    shootdown_add_tables(&batch);
    shootdown_finish(&batch);
    EXPECT_EQ(last.bytes, ~0UL);
    EXPECT_EQ(last.number, mmu_satp_asid(space->satp[1]));
    finish();
}

TEST(shootdown, without_numbers_only_who_is_in_the_space_flushes)
{
    space_start();
    asid_init(0, MACHINE_CORES);
    asid_add_space(space);
    space_run_core(1, space);
    space_run_core(2, space);
    space_run_core(2, NULL);
    machine_be_core(0);
    listen();
    shootdown(space, RANGE);
    EXPECT_EQ(flushes[1], 1);
    EXPECT_EQ(flushes[2], 0);
    EXPECT_EQ(last.number, 0);
    EXPECT_NE(space->satp[1], 0);
    EXPECT_EQ(space->satp[2], 0);
    finish();
}
