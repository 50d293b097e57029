/* SPDX-License-Identifier: MIT */
/* Tests the values that the atomics give; their order is for other means to check. */

#include <pthread.h>

#include "kernel/base/atomic.h"
#include "tests/test.h"

TEST(atomic, loads_and_stores_of_every_size)
{
    uint8_t byte = 1;
    uint16_t half = 2;
    uint32_t word = 3;
    uint64_t wide = 4;
    void *pointer = NULL;

    atomic_store_relaxed(&byte, 0xff);
    /* release: only the value is looked at; pairs with the acquire below */
    atomic_store_release(&half, 0xffff);
    atomic_store_relaxed(&word, UINT32_MAX);
    atomic_store_relaxed(&wide, UINT64_MAX);
    atomic_store_relaxed(&pointer, &wide);
    EXPECT_EQ(atomic_load_relaxed(&byte), 0xff);
    /* acquire: pairs with the release above */
    EXPECT_EQ(atomic_load_acquire(&half), 0xffff);
    EXPECT_EQ(atomic_load_relaxed(&word), UINT32_MAX);
    EXPECT_EQ(atomic_load_relaxed(&wide), UINT64_MAX);
    EXPECT_TRUE(atomic_load_relaxed(&pointer) == &wide);
}

TEST(atomic, read_modify_write_gives_the_value_before)
{
    uint32_t word = 6;

    EXPECT_EQ(atomic_add_relaxed(&word, 4), 6);
    EXPECT_EQ(atomic_sub_relaxed(&word, 3), 10);
    EXPECT_EQ(atomic_or_relaxed(&word, 8), 7);
    EXPECT_EQ(atomic_and_relaxed(&word, 0xc), 15);
    EXPECT_EQ(atomic_swap_relaxed(&word, 1), 12);
    EXPECT_EQ(word, 1);
}

TEST(atomic, failed_compare_and_swap_tells_what_was_found)
{
    uint64_t word = 5;
    uint64_t expected = 4;

    EXPECT_FALSE(atomic_cas_relaxed(&word, &expected, 9));
    EXPECT_EQ(expected, 5);
    EXPECT_EQ(word, 5);
    EXPECT_TRUE(atomic_cas_relaxed(&word, &expected, 9));
    EXPECT_EQ(word, 9);
}

#define ROUNDS 100000U

static uint64_t counter;

static void *count_up(void *unused)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t now = atomic_load_relaxed(&counter);

        while (!atomic_cas_relaxed(&counter, &now, now + 1)) {
        }
        (void)atomic_add_relaxed(&counter, 1);
    }
    return unused;
}

TEST(atomic, no_increment_of_two_threads_is_lost)
{
    pthread_t other;

    ASSERT_TRUE(pthread_create(&other, NULL, count_up, NULL) == 0);
    (void)count_up(NULL);
    ASSERT_TRUE(pthread_join(other, NULL) == 0);
    EXPECT_EQ(counter, 4 * ROUNDS);
}
