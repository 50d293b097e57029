/* SPDX-License-Identifier: MIT */
/* Tests memory accounts. */

#include "mm/account.h"

#include <stdio.h>
#include <string.h>

#include "kernel/base/print.h"
#include "mm/drain.h"
#include "mm/frame.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"
#include "tests/host/death.h"
#include "tests/host/machine.h"
#include "tests/test.h"

TEST(account, limit_is_exact_and_errors_charge_nothing)
{
    struct account mine;

    account_init(&mine, 10);
    EXPECT_OK(account_charge_pages(&mine, 10));
    EXPECT_EQ(account_charge_pages(&mine, 1), ERR_NO_MEMORY);
    account_uncharge_pages(&mine, 4);
    EXPECT_EQ(account_charge_pages(&mine, UINT64_MAX), ERR_NO_MEMORY);
    EXPECT_EQ(account_pages(&mine), 6);
}

static void uncharge_too_much(void *argument)
{
    account_uncharge_pages(argument, 1);
}

TEST(account, uncharging_more_than_is_charged_panics)
{
    struct account mine;

    account_init(&mine, 10);
    EXPECT_TRUE(dies_by_assertion(uncharge_too_much, &mine));
}

#define PAGES 2048U

static struct account account;
static char printed[4096];

static void keep_text(const char *bytes, size_t count)
{
    size_t length = strlen(printed);

    if (length + count < sizeof(printed)) {
        memcpy(printed + length, bytes, count);
        printed[length + count] = '\0';
    }
}

TEST(account, its_objects_charge_pages_and_its_quota_is_theirs)
{
    static void *object[2000];
    unsigned count = 0;

    machine_init(PAGES);
    account_init(&account, 10);
    while ((object[count] = spmalloc(&account, 100)) != NULL) {
        count++;
    }
    EXPECT_EQ(account_pages(&account), 10);
    EXPECT_EQ(count, 10 * (PAGE_BYTES / 128)); /* with the trailer of debug builds */
    EXPECT_TRUE(spmalloc(&account, 3000) == NULL);
    EXPECT_TRUE(spmalloc(&account, 500) == NULL);
    while (count > 0) {
        spmalloc_free(object[--count]);
    }
    EXPECT_EQ(account_pages(&account), 1); /* the current slab */
    EXPECT_EQ(account_finish(&account), 0);
    EXPECT_EQ(account_pages(&account), 0);
}

TEST(account, empty_slabs_do_not_use_up_its_quota)
{
    machine_init(PAGES);
    account_init(&account, 3);
    for (size_t bytes = 100; bytes < 2000; bytes += 300) {
        void *object = spmalloc(&account, bytes);

        EXPECT_TRUE(object != NULL);
        spmalloc_free(object);
        EXPECT_TRUE(account_pages(&account) != 0);
    }
    void *last = spmalloc(&account, 1900);

    EXPECT_TRUE(last != NULL);
    spmalloc_free(last);
    EXPECT_EQ(account_finish(&account), 0);
}

#define QUOTA 8U

TEST(account, what_waits_for_the_core_does_not_use_up_its_quota)
{
    static void *own[QUOTA * PAGE_BYTES / 32];
    static void *others[300];
    unsigned count = 0;

    machine_init(PAGES);
    account_init(&account, QUOTA);
    while ((own[count] = spmalloc(&account, 100)) != NULL) {
        count++;
    }
    for (unsigned i = 0; i < 300; i++) {
        others[i] = spmalloc(&kernel_account, 200);
    }
    machine_be_core(1);
    spmalloc_free(own[0]);
    for (unsigned i = 0; i < 300; i++) {
        spmalloc_free(others[i]); /* go in front of it */
    }
    spmalloc_flush_core(1);
    machine_set_core(0); /* which did not sleep meanwhile */
    EXPECT_TRUE(spmalloc(&account, 100) != NULL);
}

TEST(account, empty_slabs_make_room_for_a_large_object)
{
    machine_init(PAGES);
    account_init(&account, 2);
    spmalloc_free(spmalloc(&account, 100));
    EXPECT_EQ(account_pages(&account), 1);
    void *large = spmalloc(&account, 2 * PAGE_BYTES);

    ASSERT_TRUE(large != NULL);
    spmalloc_free(large);
    spmalloc_free(spmalloc(&account, 100));
    large = spmalloc(&account, 4 * PAGE_BYTES);
    EXPECT_TRUE(large == NULL);
    EXPECT_EQ(account_finish(&account), 0);
}

TEST(account, stocks_of_sleeping_cores_make_room_for_a_large_object)
{
    static paddr_t page[PAGES];
    unsigned count = 0;

    machine_init(PAGES);
    account_init(&account, ACCOUNT_UNLIMITED);
    while ((page[count] = nexus_alloc_page()) != FRAME_NONE) {
        count++;
    }
    machine_be_core(1);
    for (unsigned i = 0; i < 16; i++) { /* owned by core 0, which sleeps */
        nexus_free_page(page[count - 16 + i]);
    }
    machine_be_core(2);
    EXPECT_TRUE(nexus_idle_pages(0) > 0);
    EXPECT_TRUE(spmalloc(&account, 2 * PAGE_BYTES) != NULL);
}

TEST(account, the_reserve_is_there_for_an_object_that_leads_out_of_a_shortage)
{
    static struct account small;
    uint64_t left;

    machine_init(PAGES);
    account_init(&account, ACCOUNT_UNLIMITED);
    while (spmalloc(&account, 100) != NULL) {
    }
    EXPECT_EQ(frame_free_pages(), frame_reserve_pages());
    EXPECT_TRUE(spmalloc_reserve(&account, 100) != NULL);
    EXPECT_EQ(frame_free_pages(), frame_reserve_pages() - 1);
    machine_be_core(1); /* where the account has no heap yet */
    account_init(&small, 1);
    void *object = spmalloc_reserve(&small, 100);

    ASSERT_TRUE(object != NULL);
    left = frame_free_pages();
    EXPECT_TRUE(left >= frame_reserve_pages() - 3);
    EXPECT_TRUE(spmalloc_reserve(&small, 1500) == NULL); /* it has its page */
    EXPECT_EQ(frame_free_pages(), left);
    spmalloc_free(object);
    EXPECT_EQ(account_finish(&small), 0);
}

TEST(account, a_closed_one_gives_no_page_but_takes_all_back)
{
    machine_init(PAGES);
    account_init(&account, ACCOUNT_UNLIMITED);
    void *small = spmalloc(&account, 100);
    void *large = spmalloc(&account, 10000);

    account_close(&account);
    EXPECT_EQ(account_charge_pages(&account, 1), ERR_NO_MEMORY);
    EXPECT_TRUE(spmalloc(&account, 1000) == NULL);
    spmalloc_free(small);
    spmalloc_free(large);
    EXPECT_EQ(account_finish(&account), 0);
    EXPECT_EQ(account_pages(&account), 0);
}

TEST(account, its_end_brings_home_what_lies_about_on_other_cores)
{
    static void *object[MACHINE_CORES][50];
    uint64_t before;

    machine_init(PAGES);
    before = machine_free_pages();
    account_init(&account, ACCOUNT_UNLIMITED);
    for (cpu_t cpu = 0; cpu < MACHINE_CORES; cpu++) {
        machine_be_core(cpu);
        for (unsigned i = 0; i < 50; i++) {
            object[cpu][i] = spmalloc(&account, 40 + i * 60);
        }
    }
    for (cpu_t cpu = 0; cpu < MACHINE_CORES; cpu++) {
        machine_be_core(cpu);
        for (unsigned i = 0; i < 50; i++) {
            spmalloc_free(object[(cpu + 1) % MACHINE_CORES][i]);
        }
    }
    account_close(&account);
    EXPECT_EQ(account_finish(&account), 0);
    EXPECT_EQ(account_pages(&account), 0);
    for (cpu_t cpu = 0; cpu < MACHINE_CORES; cpu++) {
        EXPECT_TRUE(account.heap[cpu] == account.no_heap);
    }
    EXPECT_EQ(spmalloc_objects(), 0);
    EXPECT_EQ(machine_free_pages(), before);
}

TEST(account, what_it_leaves_is_named_and_can_still_be_freed)
{
    char site[80];

    machine_init(PAGES);
    print_set_sink(keep_text);
    account_init(&account, ACCOUNT_UNLIMITED);
    void *gone = spmalloc(&account, 100);
    void *small = spmalloc(&account, 100);
    void *large = spmalloc(&account, 10000);

    spmalloc_free(gone);
    EXPECT_EQ(account_finish(&account), 2);
    (void)snprintf(site, sizeof(site), "leak: 0x%lx, 100 bytes, allocated by 0x",
                   (unsigned long)small);
    EXPECT_TRUE(strstr(printed, site) != NULL);
    (void)snprintf(site, sizeof(site), "leak: 0x%lx, 10000 bytes,", (unsigned long)large);
    EXPECT_TRUE(strstr(printed, site) != NULL);
    EXPECT_TRUE(strstr(printed, "ended with 5 pages still charged, 2 objects") != NULL);

    memset(&account, 0xee, sizeof(account)); /* its owner's memory goes away */
    spmalloc_free(small);
    spmalloc_free(large);
    drain_all();
    EXPECT_EQ(spmalloc_objects(), 0);
    EXPECT_EQ(spmalloc_pages(), 0);
}
