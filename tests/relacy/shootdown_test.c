/* SPDX-License-Identifier: MIT */
/*
 * A page is taken out of a space while cores run in it, enter and leave it, sleep, wake and run out
 * of numbers; its frame is then used for something else. The tables, TLBs and satp are pretended: a
 * walk is a relaxed load of the page's entry, which may return what was there before, and what is in
 * a TLB is used without one. The frame is a plain variable: a use through an old translation that is
 * not over when the frame is used again is a data race.
 *
 * COVERS mm/shootdown.h
 * COVERS mm/shootdown.c
 * COVERS mm/asid.c
 */
#include "mm/shootdown.h"

#include "arch/core.h"
#include "arch/mmu.h"
#include "kernel/base/atomic.h"
#include "mm/asid.h"
#include "tests/relacy/machine.h"
#include "tests/relacy/model.h"

#define CORES 3U
#define PAGES 2U
#define NUMBERS 2U
#define ADDRESS(page) (0x10000UL + (page)*PAGE_BYTES)

static union {
    struct vspace space;
    uint8_t bytes[sizeof(struct vspace) + CORES * sizeof(uint64_t)];
} storage;
#define SPACE (&storage.space)

static uint32_t entry[PAGES];        /* of the page table: 1 when the page is mapped */
static uint64_t frame[PAGES][CORES]; /* what the page holds; a word for the users of each core */
static uint32_t finished;            /* threads that change nothing more */

/* Of each core, for itself only. */
static struct {
    uint64_t satp;
    bool has[NUMBERS + 1][PAGES]; /* TLB */
} mmu[CORES] __attribute__((aligned(64)));

/* --- what mm/shootdown.c and mm/asid.c call --- */

uint64_t mmu_kernel_satp(void)
{
    return 8UL << 60;
}

uint64_t mmu_satp(paddr_t root, uint16_t asid)
{
    return 8UL << 60 | (uint64_t)asid << MMU_SATP_ASID_SHIFT | root >> 12;
}

uint64_t mmu_loaded_satp(void)
{
    return mmu[core_index()].satp;
}

void mmu_set_satp(uint64_t satp)
{
    mmu[core_index()].satp = satp;
}

void tlb_flush_local(vaddr_t va, uint64_t bytes, uint16_t number)
{
    for (unsigned page = 0; page < PAGES; page++) {
        if (ADDRESS(page) >= va && ADDRESS(page) - va < bytes) {
            mmu[core_index()].has[number][page] = false;
        }
    }
}

static void take_interrupt(void)
{
    machine_take_interrupt(shootdown_handle);
}

/* --- the cores --- */

static void set_up(void)
{
    machine_set_up(NULL);
    asid_init(NUMBERS, CORES);
    asid_add_space(SPACE);
    SPACE->root = 0x1000;
    SPACE->entered[0] = 0;
    for (unsigned i = 0; i < CORES; i++) {
        SPACE->satp[i] = 0;
        mmu[i].satp = mmu_kernel_satp();
        for (unsigned number = 0; number <= NUMBERS; number++) {
            mmu[i].has[number][0] = mmu[i].has[number][1] = false;
        }
    }
    for (unsigned page = 0; page < PAGES; page++) {
        entry[page] = 1;
        for (unsigned i = 0; i < CORES; i++) {
            frame[page][i] = 0;
        }
    }
    finished = 0;
}

/* A user of this core writes to the page, if it can. */
static void use(unsigned page)
{
    bool *has = &mmu[core_index()].has[mmu_satp_asid(mmu[core_index()].satp)][page];

    /* relaxed: the hardware's walk */
    if (!*has && atomic_load_relaxed(&entry[page]) != 0) {
        *has = true;
    }
    if (*has) {
        frame[page][core_index()]++;
    }
}

/* Into the space, and out of it. */
static void run_in_space(unsigned page)
{
    asid_enter(&SPACE->satp[core_index()]);
    use(page);
    take_interrupt();
    use(page);
    mmu_set_satp(mmu_kernel_satp());
}

static void sleep_and_wake(void)
{
    shootdown_sleep();
    model_pause();
    shootdown_wake();
    take_interrupt();
}

static void take_out(unsigned page)
{
    /* relaxed: shootdown orders it */
    atomic_store_relaxed(&entry[page], 0U);
    shootdown(SPACE, ADDRESS(page), PAGE_BYTES);
    for (unsigned i = 0; i < CORES; i++) {
        frame[page][i] = 100; /* somebody else's now */
    }
}

static void rest(void)
{
    /* relaxed, both: only a count */
    (void)atomic_add_relaxed(&finished, 1U);
    while (atomic_load_relaxed(&finished) != CORES) {
        take_interrupt();
        model_yield();
    }
    take_interrupt();
}

/* Core 0 takes the page out; core 1 runs, sleeps, and runs again; core 2 does so in another order. */
static void one_takes_out(unsigned self)
{
    if (self == 0) {
        take_out(0);
    } else if (self == 1) {
        run_in_space(0);
        sleep_and_wake();
        run_in_space(0);
    }
    rest();
}

static void two_take_out(unsigned self)
{
    run_in_space(self == 0 ? 1 : 0);
    if (self < 2) {
        take_out(self);
    }
    rest();
}

/* Two for one sleeper: who finds its entry empty needs to know that what ran there is over. */
static void two_for_a_sleeper(unsigned self)
{
    if (self < 2) {
        take_out(self);
    } else {
        run_in_space(model_choose(2));
        sleep_and_wake();
        run_in_space(1);
        run_in_space(0);
    }
    rest();
}

/* The short way: with no entry but its own, a core asks nobody. One that enters meanwhile must find
 * the page gone. */
static void one_takes_out_here(unsigned self)
{
    if (self == 0) {
        /* relaxed: shootdown_here orders it */
        atomic_store_relaxed(&entry[0], 0U);
        if (!shootdown_here(SPACE, ADDRESS(0), PAGE_BYTES, false)) {
            shootdown(SPACE, ADDRESS(0), PAGE_BYTES);
        }
        for (unsigned i = 0; i < CORES; i++) {
            frame[0][i] = 100; /* somebody else's now */
        }
    } else if (self == 1) {
        run_in_space(0);
    }
    rest();
}

MODEL_TEST(shootdown_in_short_frame_is_nobodys_afterwards, .threads = CORES, .rounds = 30000,
           .before = set_up, .thread = one_takes_out_here, .resume = machine_resume);

MODEL_TEST(shootdown_frame_is_nobodys_afterwards, .threads = CORES, .rounds = 30000,
           .before = set_up, .thread = one_takes_out, .resume = machine_resume);

MODEL_TEST(shootdown_two_ask_each_other, .threads = CORES, .rounds = 30000, .before = set_up,
           .thread = two_take_out, .resume = machine_resume);

MODEL_TEST(shootdown_two_for_a_sleeper, .threads = CORES, .rounds = 30000, .before = set_up,
           .thread = two_for_a_sleeper, .resume = machine_resume);
