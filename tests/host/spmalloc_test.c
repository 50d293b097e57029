/* SPDX-License-Identifier: MIT */
/* Tests the object allocator on pretended memory: sizes, contents, charges, random operations. */

#include <stdlib.h>
#include <string.h>

#include "arch/core.h"
#include "kernel/abi/limits.h"
#include "mm/fail.h"
#include "mm/drain.h"
#include "mm/frame.h"
#include "mm/spmalloc.h"
#include "tests/host/death.h"
#include "tests/host/machine.h"
#include "tests/test.h"

#define PAGES 4096U

TEST(spmalloc, every_size_is_aligned_usable_and_freed)
{
    uint64_t before;

    machine_init(PAGES);
    drain_all();
    before = frame_free_pages();
    for (size_t bytes = 1; bytes < 20000; bytes += bytes < 2100 ? 1 : 97) {
        char *object = spmalloc(&kernel_account, bytes);
        size_t alignment = bytes > 2048 ? PAGE_BYTES : bytes % 64 == 0 ? 64 : 32;

        ASSERT_TRUE(object != NULL);
        EXPECT_TRUE(IS_ALIGNED((uintptr_t)object, alignment));
        EXPECT_TRUE(spmalloc_usable_bytes(bytes) >= bytes);
        memset(object, 0x5a, bytes);
        EXPECT_EQ(spmalloc_objects(), 1);
        spmalloc_free(object);
    }
    drain_all();
    EXPECT_EQ(frame_free_pages(), before);
    EXPECT_EQ(account_pages(&kernel_account), 0);
    EXPECT_EQ(spmalloc_objects(), 0);
    EXPECT_EQ(spmalloc_pages(), 0);
}

TEST(spmalloc, alignment_that_is_asked_for_is_kept)
{
    machine_init(PAGES);
    for (size_t alignment = 1; alignment <= 0x10000; alignment *= 2) {
        for (size_t bytes = 1; bytes < 9000; bytes += 211) {
            char *object = spmalloc_aligned(&kernel_account, bytes, alignment);

            ASSERT_TRUE(object != NULL);
            EXPECT_TRUE(IS_ALIGNED((uintptr_t)object, alignment));
            memset(object, 0x5a, bytes);
            spmalloc_free(object);
        }
    }
    drain_all();
    EXPECT_EQ(spmalloc_pages(), 0);
}

TEST(spmalloc, a_page_is_charged_for_each_slab_and_no_object_is_lost_in_it)
{
    static char *object[1000];
    size_t slot;

    machine_init(PAGES);
    for (size_t bytes = 8; bytes <= 2000; bytes += 332) {
        slot = (size_t)(spmalloc_usable_bytes(bytes) + sizeof(uint64_t) * 2);
        for (unsigned i = 0; i < 1000; i++) {
            object[i] = spmalloc(&kernel_account, bytes);
            ASSERT_TRUE(object[i] != NULL);
            memset(object[i], (int)i, bytes);
        }
        EXPECT_EQ(account_pages(&kernel_account),
                  (1000 + PAGE_BYTES / slot - 1) / (PAGE_BYTES / slot));
        for (unsigned i = 0; i < 1000; i++) {
            EXPECT_EQ(((uint8_t *)object[i])[bytes - 1], (uint8_t)i);
            spmalloc_free(object[i]);
        }
        drain_all();
        EXPECT_EQ(account_pages(&kernel_account), 0);
    }
}

TEST(spmalloc, nothing_and_too_much_give_null)
{
    machine_init(PAGES);
    EXPECT_TRUE(spmalloc(&kernel_account, 0) == NULL);
    EXPECT_TRUE(spmalloc(&kernel_account, (size_t)PAGE_BYTES << 11) == NULL);
    EXPECT_TRUE(spmalloc(&kernel_account, SIZE_MAX) == NULL);
    spmalloc_free(NULL);
    EXPECT_EQ(spmalloc_objects(), 0);
}

TEST(spmalloc, zeroed_object_is_zero_even_after_use)
{
    machine_init(PAGES);
    for (unsigned round = 0; round < 100; round++) {
        uint8_t *object = spmalloc_zeroed(&kernel_account, 500);

        ASSERT_TRUE(object != NULL);
        for (unsigned i = 0; i < 500; i++) {
            EXPECT_TRUE(object[i] == 0);
        }
        memset(object, 0xff, 500);
        spmalloc_free(object);
    }
}

TEST(spmalloc, out_of_memory_is_null_and_recovers)
{
    static void *object[PAGES];
    unsigned count = 0;
    uint64_t before;

    machine_init(PAGES);
    drain_all();
    before = frame_free_pages();
    while (count < PAGES && (object[count] = spmalloc(&kernel_account, 3000)) != NULL) {
        count++;
    }
    EXPECT_TRUE(count > PAGES / 2);
    EXPECT_TRUE(spmalloc(&kernel_account, 32) == NULL);
    EXPECT_EQ(account_pages(&kernel_account), count);
    while (count > 0) {
        spmalloc_free(object[--count]);
    }
    drain_all();
    EXPECT_EQ(frame_free_pages(), before);
}

TEST(spmalloc, each_allocation_can_be_made_to_fail)
{
    unsigned failures = 0;

    machine_init(PAGES);
    for (uint64_t n = 1; n < 10; n++) {
        void *small;
        void *large;

        fail_nth_allocation(n);
        small = spmalloc(&kernel_account, 100);
        large = spmalloc(&kernel_account, 10000);
        failures += small == NULL;
        failures += large == NULL;
        EXPECT_TRUE((small == NULL || large == NULL) != fail_is_pending());
        fail_nth_allocation(0);
        spmalloc_free(small);
        spmalloc_free(large);
        drain_all();
        EXPECT_EQ(spmalloc_pages(), 0);
    }
    EXPECT_TRUE(failures >= 4); /* each object, its page, its block */
}

TEST(spmalloc, accounts_share_no_page)
{
    static struct account account[2];
    static uintptr_t page[2][100];

    machine_init(PAGES);
    for (unsigned a = 0; a < 2; a++) {
        account_init(&account[a], ACCOUNT_UNLIMITED);
    }
    for (unsigned i = 0; i < 200; i++) {
        page[i % 2][i / 2] = (uintptr_t)spmalloc(&account[i % 2], 40) / PAGE_BYTES;
    }
    for (unsigned i = 0; i < 100 * 100; i++) {
        EXPECT_TRUE(page[0][i / 100] != page[1][i % 100]);
    }
}

struct shadow {
    uint8_t *object;
    size_t bytes;
    uint8_t mark;
};

#define LIVE 2048U

static bool shadow_is_intact(const struct shadow *shadow)
{
    for (size_t i = 0; i < shadow->bytes; i += i < 64 ? 1 : 37) {
        if (shadow->object[i] != shadow->mark) {
            return false;
        }
    }
    return shadow->object[shadow->bytes - 1] == shadow->mark;
}

static size_t random_size(void)
{
    unsigned kind = (unsigned)rand() % 64;

    return 1 + (size_t)rand() % (kind == 0 ? 40000 : kind < 8 ? 5000 : kind < 32 ? 700 : 100);
}

/* Objects of both accounts, made and freed by all cores at random (in one thread). */
static void random_operations(unsigned rounds)
{
    static struct account account[2];
    static struct shadow live[LIVE];

    machine_init(4 * PAGES);
    for (unsigned a = 0; a < 2; a++) {
        account_init(&account[a], ACCOUNT_UNLIMITED);
    }
    for (unsigned round = 0; round < rounds; round++) {
        struct shadow *shadow = &live[(unsigned)rand() % LIVE];

        machine_be_core((cpu_t)rand() % MACHINE_CORES);
        if (shadow->object == NULL) {
            shadow->bytes = random_size();
            shadow->mark = (uint8_t)rand();
            shadow->object = spmalloc(&account[rand() % 2], shadow->bytes);
            ASSERT_TRUE(shadow->object != NULL);
            memset(shadow->object, shadow->mark, shadow->bytes);
        } else {
            ASSERT_TRUE(shadow_is_intact(shadow));
            spmalloc_free(shadow->object);
            shadow->object = NULL;
        }
        if (round % 4096 == 0) {
            drain_all();
        }
    }
    for (unsigned i = 0; i < LIVE; i++) {
        spmalloc_free(live[i].object);
        live[i].object = NULL;
    }
    for (unsigned a = 0; a < 2; a++) {
        EXPECT_EQ(account_finish(&account[a]), 0);
        EXPECT_EQ(account_pages(&account[a]), 0);
    }
    drain_all();
    EXPECT_EQ(spmalloc_objects(), 0);
    EXPECT_EQ(spmalloc_pages(), 0);
}

/* The long run asks for more rounds and another seed (tools/testing/stage_long.py). */
TEST(spmalloc, random_operations_agree_with_a_shadow)
{
    const char *rounds = getenv("BATON_RANDOM_ROUNDS");

    const char *seed = getenv("BATON_RANDOM_SEED");

    srand(seed == NULL ? 1 : (unsigned)strtoul(seed, NULL, 10));
    random_operations(rounds == NULL ? 300000 : (unsigned)strtoul(rounds, NULL, 10));
}
