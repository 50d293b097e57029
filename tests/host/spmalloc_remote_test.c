/* SPDX-License-Identifier: MIT */
/* Tests objects that are freed on other cores than those that made them; a thread is a core. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arch/core.h"
#include "kernel/base/atomic.h"
#include "kernel/abi/limits.h"
#include "mm/drain.h"
#include "mm/frame.h"
#include "mm/spmalloc.h"
#include "tests/host/machine.h"
#include "tests/test.h"

#define PAGES 4096U
#define OBJECTS 500U

static void *object[OBJECTS];
static struct account account;

static void allocate_all(size_t bytes)
{
    for (unsigned i = 0; i < OBJECTS; i++) {
        object[i] = spmalloc(&account, bytes);
        ASSERT_TRUE(object[i] != NULL);
    }
}

TEST(spmalloc_remote, what_goes_home_can_be_had_again)
{
    uint64_t pages;

    machine_init(PAGES);
    account_init(&account, ACCOUNT_UNLIMITED);
    allocate_all(64);
    pages = account_pages(&account);
    for (unsigned round = 0; round < 20; round++) {
        machine_be_core(1 + round % 3);
        for (unsigned i = 0; i < OBJECTS; i++) {
            spmalloc_free(object[(i * 7 + round) % OBJECTS]);
        }
        spmalloc_flush_core(core_index());
        EXPECT_EQ(spmalloc_waiting(0), OBJECTS);
        machine_be_core(0);
        allocate_all(64);
        EXPECT_TRUE(account_pages(&account) <= pages + 1);
        EXPECT_EQ(spmalloc_objects(), OBJECTS + 1 + spmalloc_waiting(0)); /* 1: the heap */
    }
    for (unsigned i = 0; i < OBJECTS; i++) {
        spmalloc_free(object[i]);
    }
    drain_all();
    EXPECT_EQ(account_pages(&account), 0);
}

TEST(spmalloc_remote, a_full_batch_leaves_by_itself)
{
    machine_init(PAGES);
    account_init(&account, ACCOUNT_UNLIMITED);
    allocate_all(64);
    machine_be_core(2);
    for (unsigned i = 0; i < 100; i++) {
        spmalloc_free(object[i]);
    }
    EXPECT_EQ(spmalloc_waiting(0), 96);
    spmalloc_flush_core(2);
    EXPECT_EQ(spmalloc_waiting(0), 100);
    EXPECT_TRUE(spmalloc_collect_some(0, 10));
    EXPECT_EQ(spmalloc_waiting(0), 90);
    while (spmalloc_collect_some(0, 64)) {
    }
    EXPECT_EQ(spmalloc_waiting(0), 0);
}

/* As a release build does, where 64 of them fill a slab. */
static void *allocate_64(void)
{
    return spmalloc_small(8UL * spmalloc_class_of(64), &account);
}

/* Frees them on core 1; core 0 does not go to sleep, where it would take them in. */
static void free_on_core_1(unsigned from, unsigned to)
{
    machine_set_core(1);
    for (unsigned i = from; i < to; i++) {
        spmalloc_free_object(object[i]);
    }
    spmalloc_flush_core(1);
    machine_set_core(0);
}

TEST(spmalloc_remote, a_few_that_wait_are_left_until_they_are_more)
{
    machine_init(PAGES);
    account_init(&account, ACCOUNT_UNLIMITED);
    for (unsigned i = 0; i < 128; i++) {
        object[i] = allocate_64();
    }
    free_on_core_1(0, 10);
    for (unsigned i = 128; i < 192; i++) {
        object[i] = allocate_64();
    }
    EXPECT_EQ(spmalloc_waiting(0), 10);
    EXPECT_EQ(account_pages(&account), 3);
    free_on_core_1(10, 40);
    EXPECT_TRUE(allocate_64() != NULL);
    EXPECT_EQ(spmalloc_waiting(0), 0);
    EXPECT_EQ(account_pages(&account), 3);
}

TEST(spmalloc_remote, one_that_is_freed_at_home_into_a_full_slab_can_be_had_again)
{
    machine_init(PAGES);
    account_init(&account, ACCOUNT_UNLIMITED);
    for (unsigned i = 0; i < 192; i++) {
        object[i] = allocate_64();
    }
    spmalloc_free_object(object[5]);
    spmalloc_free_object(object[100]);
    EXPECT_TRUE(allocate_64() == object[100]);
    EXPECT_TRUE(allocate_64() == object[5]);
    EXPECT_EQ(account_pages(&account), 3);
}

TEST(spmalloc_remote, cores_that_share_a_place_for_batches_get_their_own_objects)
{
    static void *of[MACHINE_CORES][8];

    machine_init(PAGES);
    account_init(&account, ACCOUNT_UNLIMITED);
    for (cpu_t cpu = 0; cpu < MACHINE_CORES; cpu++) {
        machine_be_core(cpu);
        for (unsigned i = 0; i < 8; i++) {
            of[cpu][i] = spmalloc(&account, 200);
        }
    }
    machine_be_core(3);
    for (unsigned i = 0; i < 8; i++) {
        for (cpu_t cpu = 0; cpu < MACHINE_CORES; cpu++) {
            spmalloc_free(of[cpu][i]);
        }
    }
    spmalloc_flush_core(3);
    for (cpu_t cpu = 0; cpu < MACHINE_CORES; cpu++) {
        EXPECT_EQ(spmalloc_waiting(cpu), cpu == 3 ? 0 : 8);
    }
    drain_all();
    EXPECT_EQ(account_pages(&account), 0);
}

TEST(spmalloc_remote, large_objects_go_home_too)
{
    machine_init(PAGES);
    account_init(&account, ACCOUNT_UNLIMITED);
    allocate_all(3000);
    machine_be_core(5);
    for (unsigned i = 0; i < OBJECTS; i++) {
        spmalloc_free(object[i]);
    }
    EXPECT_EQ(account_pages(&account), 0);
    drain_all();
    EXPECT_EQ(spmalloc_pages(), 0);
}

#define THREADS 4U
#define SLOTS 256U
#define ROUNDS 20000U

/* Objects that anybody may take out and free. */
static uint8_t *slot[SLOTS];

static void free_marked(uint8_t *mine)
{
    if (mine != NULL) {
        EXPECT_EQ(mine[8], mine[39]);
        spmalloc_free(mine);
    }
}

/* Puts new objects into random slots and frees what was there, whoever made it. */
static void *exchange(void *argument)
{
    cpu_t me = *(cpu_t *)argument;
    unsigned seed = me + 1;

    machine_be_core(me);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint8_t *fresh = spmalloc(&account, 40 + (size_t)rand_r(&seed) % 1000);
        uint8_t **place = &slot[(unsigned)rand_r(&seed) % SLOTS];

        if (fresh != NULL) {
            fresh[8] = (uint8_t)round;
            fresh[39] = (uint8_t)round;
        }
        /* acq_rel: the object's contents go with it; pairs with itself in the other threads */
        free_marked(atomic_swap_acq_rel(place, fresh));
        if (round % 512 == 0) {
            spmalloc_flush_core(me);
            while (spmalloc_collect_some(me, 64)) {
            }
            spmalloc_trim_core(me);
        }
    }
    machine_leave_core();
    return NULL;
}

TEST(spmalloc_remote, threads_exchange_objects_and_all_come_home)
{
    static pthread_t thread[THREADS];
    static cpu_t core[THREADS];
    uint64_t before;

    machine_init(PAGES);
    drain_all();
    before = frame_free_pages();
    account_init(&account, ACCOUNT_UNLIMITED);
    for (unsigned i = 0; i < THREADS; i++) {
        core[i] = i + 1;
        ASSERT_TRUE(pthread_create(&thread[i], NULL, exchange, &core[i]) == 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        ASSERT_TRUE(pthread_join(thread[i], NULL) == 0);
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        free_marked(slot[i]);
    }
    drain_all();
    EXPECT_EQ(account_pages(&account), 0);
    account_close(&account);
    EXPECT_EQ(account_finish(&account), 0);
    drain_all();
    EXPECT_EQ(spmalloc_objects(), 0);
    EXPECT_EQ(frame_free_pages(), before);
}
