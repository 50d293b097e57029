/* SPDX-License-Identifier: MIT */
/* The object allocator. */
#include "mm/spmalloc.h"

#include <string.h>

#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"

#define OBJECTS 300U
#define WORKERS 4U

static void *objects[OBJECTS];

TEST(spmalloc, objects_of_all_sizes_are_aligned_and_apart)
{
    unsigned count = 0;

    for (size_t bytes = 1; bytes <= 5 * PAGE_BYTES && count < OBJECTS; bytes += 1 + bytes / 16) {
        char *object = spmalloc(&kernel_account, bytes);
        size_t alignment = bytes > SPMALLOC_SMALL_MAX ? PAGE_BYTES : bytes % 64 == 0 ? 64 : 32;

        ASSERT_TRUE(object != NULL);
        EXPECT_TRUE(IS_ALIGNED(object, alignment));
        EXPECT_TRUE(spmalloc_usable_bytes(bytes) >= bytes);
        memset(object, (int)(count & 0xff), bytes);
        objects[count++] = object;
    }
    for (unsigned i = 0; i < count; i++) {
        EXPECT_EQ(*(uint8_t *)objects[i], i & 0xff);
        spmalloc_free(objects[i]);
    }
}

static void free_all(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < OBJECTS; i++) {
        spmalloc_free(objects[i]);
    }
}

TEST(spmalloc, what_one_core_allocates_another_may_free)
{
    for (unsigned i = 0; i < OBJECTS; i++) {
        objects[i] = spmalloc_zeroed(&kernel_account, 16 + i * 8);
        ASSERT_TRUE(objects[i] != NULL);
    }
    crew_join(crew_start(crew_core(1), free_all, NULL));
}

static void allocate_check_free(void *member)
{
    struct crew_member *me = member;
    uint32_t random = me->index + 1;
    void *mine[32] = {NULL};
    size_t bytes[32];

    for (unsigned i = 0; i < 2000; i++) {
        unsigned slot = crew_random(&random) % 32;

        if (mine[slot] == NULL) {
            bytes[slot] = 1 + crew_random(&random) % 3000;
            mine[slot] = spmalloc(&kernel_account, bytes[slot]);
            memset(mine[slot], (int)(me->index * 32 + slot), bytes[slot]);
        } else {
            uint8_t *object = mine[slot];

            EXPECT_EQ(object[0], me->index * 32 + slot);
            EXPECT_EQ(object[bytes[slot] - 1], me->index * 32 + slot);
            spmalloc_free(object);
            mine[slot] = NULL;
        }
    }
    for (unsigned slot = 0; slot < 32; slot++) {
        spmalloc_free(mine[slot]);
    }
}

TEST(spmalloc, cores_never_share_an_object)
{
    crew_run(WORKERS, allocate_check_free, NULL);
}

/* The i-th to be freed of OBJECTS, in one of several orders. */
static unsigned position(unsigned order, unsigned i)
{
    switch (order) {
    case 0:
        return i;
    case 1:
        return OBJECTS - 1 - i;
    case 2:
        return i % 2 == 0 ? i / 2 : OBJECTS - 1 - i / 2;
    default:
        return (i * 7 + 13) % OBJECTS; /* 7 and OBJECTS have no common factor */
    }
}

static uint32_t stop_spinning;

static void spin(void *argument)
{
    (void)argument;
    /* relaxed: a word to end on */
    while (atomic_load_relaxed(&stop_spinning) == 0) {
        sched_yield();
    }
}

static void allocate_on_one_and_free_on_another(cpu_t from, cpu_t to, unsigned order)
{
    static struct account account;

    account_init(&account, ACCOUNT_UNLIMITED);
    EXPECT_OK(sched_migrate(from));
    for (unsigned i = 0; i < OBJECTS; i++) {
        objects[i] = spmalloc(&account, 24 + (i % 5) * 150);
        ASSERT_TRUE(objects[i] != NULL);
        memset(objects[i], (int)i, 24);
    }
    EXPECT_OK(sched_migrate(to));
    for (unsigned i = 0; i < OBJECTS; i++) {
        uint8_t *object = objects[position(order, i)];

        EXPECT_EQ(object[23], (uint8_t)position(order, i));
        spmalloc_free(object);
    }
    account_close(&account);
    EXPECT_EQ(account_finish(&account), 0);
    EXPECT_EQ(account_pages(&account), 0);
}

static void for_all_pairs_of_cores(unsigned orders)
{
    unsigned cores_used = (unsigned)min_u64(sched_online_count(), 4);

    for (unsigned pair = 0; pair < cores_used * cores_used; pair++) {
        for (unsigned i = 0; i < orders; i++) {
            allocate_on_one_and_free_on_another(pair % cores_used, pair / cores_used,
                                                (pair + i) % 4);
        }
    }
}

TEST(spmalloc, all_comes_home_to_idle_owners_in_every_order)
{
    for_all_pairs_of_cores(4);
}

TEST(spmalloc, all_comes_home_to_busy_owners)
{
    struct thread *spinner[4];
    unsigned count = (unsigned)min_u64(sched_online_count(), 4);

    /* relaxed: before the threads start */
    atomic_store_relaxed(&stop_spinning, 0);
    for (unsigned i = 0; i < count; i++) {
        spinner[i] = crew_start(i, spin, NULL);
    }
    for_all_pairs_of_cores(1); /* each time the owner must be waited for */
    /* relaxed: as in spin */
    atomic_store_relaxed(&stop_spinning, 1);
    for (unsigned i = 0; i < count; i++) {
        EXPECT_EQ(crew_join(spinner[i]), 0);
    }
}

#define PLACES 64U
#define EXCHANGES 3000U

struct exchange {
    struct account account;
    void *place[PLACES];
};

/* New objects go into random places; what was there is freed, whoever made it. */
static void exchange_objects(void *member)
{
    struct crew_member *me = member;
    struct exchange *exchange = me->shared;
    uint32_t random = me->index + 1;

    for (unsigned i = 0; i < EXCHANGES; i++) {
        uint8_t *fresh = spmalloc(&exchange->account, 40 + crew_random(&random) % 2500);

        fresh[39] = (uint8_t)i;
        fresh[8] = (uint8_t)i;
        /* acq_rel: the contents go with the object; pairs with itself on the other cores */
        uint8_t *old = atomic_swap_acq_rel(&exchange->place[crew_random(&random) % PLACES], fresh);
        if (old != NULL) {
            EXPECT_EQ(old[8], old[39]);
            spmalloc_free(old);
        }
    }
}

TEST(spmalloc, cores_exchange_objects_of_one_account)
{
    static struct exchange exchange;

    memset(&exchange, 0, sizeof(exchange));
    account_init(&exchange.account, ACCOUNT_UNLIMITED);
    crew_run(WORKERS, exchange_objects, &exchange);
    for (unsigned i = 0; i < PLACES; i++) {
        spmalloc_free(exchange.place[i]);
    }
    account_close(&exchange.account);
    EXPECT_EQ(account_finish(&exchange.account), 0);
    EXPECT_EQ(account_pages(&exchange.account), 0);
}
