/* SPDX-License-Identifier: MIT */
/* Tests the object allocator on pretended memory. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/abi/limits.h"
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
    before = machine_free_pages();
    for (size_t bytes = 1; bytes < 20000; bytes += bytes < 300 ? 1 : 97) {
        char *object = spmalloc(&kernel_account, bytes);
        size_t alignment = bytes > 2048 ? PAGE_BYTES : bytes > 32 ? 64 : 32;

        ASSERT_TRUE(object != NULL);
        EXPECT_TRUE(IS_ALIGNED((uintptr_t)object, alignment));
        EXPECT_TRUE(spmalloc_usable_bytes(bytes) >= bytes);
        memset(object, 0x5a, bytes);
        spmalloc_free(object);
        EXPECT_EQ(machine_free_pages(), before);
    }
    EXPECT_EQ(spmalloc_objects(), 0);
}

TEST(spmalloc, objects_of_a_class_fill_their_slabs)
{
    static void *object[1000];
    uint64_t before;

    machine_init(PAGES);
    before = machine_free_pages();
    for (unsigned i = 0; i < 1000; i++) {
        object[i] = spmalloc(&kernel_account, 64);
        ASSERT_TRUE(object[i] != NULL);
        memset(object[i], (int)i, 64);
    }
    EXPECT_EQ(spmalloc_objects(), 1000);
    EXPECT_EQ(before - machine_free_pages(), 16); /* 64 a page */
    for (unsigned i = 0; i < 1000; i++) {
        EXPECT_EQ(((uint8_t *)object[i])[63], (uint8_t)i);
        spmalloc_free(object[i]);
    }
    EXPECT_EQ(machine_free_pages(), before);
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
    uint8_t *object;

    machine_init(PAGES);
    object = spmalloc(&kernel_account, 500);
    ASSERT_TRUE(object != NULL);
    memset(object, 0xff, 500);
    spmalloc_free(object);
    object = spmalloc_zeroed(&kernel_account, 500);
    ASSERT_TRUE(object != NULL);
    for (unsigned i = 0; i < 500; i++) {
        EXPECT_TRUE(object[i] == 0);
    }
}

TEST(spmalloc, out_of_memory_is_null_and_recovers)
{
    static void *object[PAGES];
    unsigned count = 0;
    uint64_t before;

    machine_init(PAGES);
    before = machine_free_pages();
    while (count < PAGES && (object[count] = spmalloc(&kernel_account, PAGE_BYTES)) != NULL) {
        count++;
    }
    EXPECT_EQ(count, before - frame_reserve_pages());
    EXPECT_TRUE(spmalloc(&kernel_account, 32) == NULL);
    while (count > 0) {
        spmalloc_free(object[--count]);
    }
    EXPECT_EQ(machine_free_pages(), before);
}

static void free_twice(void *argument)
{
    char *object = spmalloc(&kernel_account, *(size_t *)argument);

    spmalloc_free(object);
    spmalloc_free(object);
}

static void free_twice_in_a_used_slab(void *unused)
{
    void *other = spmalloc(&kernel_account, 100);
    void *object = spmalloc(&kernel_account, 100);

    (void)unused;
    (void)other;
    spmalloc_free(object);
    spmalloc_free(object);
}

static void free_inside(void *argument)
{
    char *object = spmalloc(&kernel_account, *(size_t *)argument);

    spmalloc_free(object + 16);
}

static void free_foreign(void *unused)
{
    int local = 0;

    spmalloc_free(unused == NULL ? (void *)&local : unused);
}

TEST(spmalloc, wrong_frees_panic)
{
    size_t small = 100;
    size_t large = 5000;

    machine_init(PAGES);
    EXPECT_TRUE(dies_by_assertion(free_twice, &small));
    EXPECT_TRUE(dies_by_assertion(free_twice, &large));
    EXPECT_TRUE(dies_by_assertion(free_twice_in_a_used_slab, NULL));
    EXPECT_TRUE(dies_by_assertion(free_inside, &small));
    EXPECT_TRUE(dies_by_assertion(free_inside, &large));
    EXPECT_TRUE(dies_by_assertion(free_foreign, NULL));
}

#define LIVE 512U

TEST(spmalloc, random_operations_keep_objects_apart)
{
    static struct {
        uint8_t *object;
        size_t bytes;
    } live[LIVE];
    uint64_t before;

    machine_init(PAGES);
    before = machine_free_pages();
    srand(1);
    for (unsigned round = 0; round < 200000; round++) {
        unsigned i = (unsigned)rand() % LIVE;

        if (live[i].object == NULL) {
            live[i].bytes = 1 + (size_t)rand() % (rand() % 8 == 0 ? 9000 : 900);
            live[i].object = spmalloc(&kernel_account, live[i].bytes);
            if (live[i].object != NULL) {
                live[i].object[0] = (uint8_t)i;
                live[i].object[live[i].bytes - 1] = (uint8_t)i;
            }
        } else {
            EXPECT_EQ(live[i].object[0], (uint8_t)i);
            EXPECT_EQ(live[i].object[live[i].bytes - 1], (uint8_t)i);
            spmalloc_free(live[i].object);
            live[i].object = NULL;
        }
    }
    for (unsigned i = 0; i < LIVE; i++) {
        spmalloc_free(live[i].object);
    }
    EXPECT_EQ(machine_free_pages(), before);
    EXPECT_EQ(spmalloc_objects(), 0);
}

#define THREADS 2U
#define THREAD_LIVE 64U

/* Allocates and frees at random; each object holds its owner's mark at both ends. */
static void *work(void *argument)
{
    unsigned seed = *(unsigned *)argument;
    uint8_t mark = (uint8_t)seed;
    uint8_t *object[THREAD_LIVE] = {NULL};
    size_t bytes[THREAD_LIVE] = {0};

    machine_be_core(mark);
    for (unsigned round = 0; round < 2000; round++) {
        unsigned i = (unsigned)rand_r(&seed) % THREAD_LIVE;

        if (object[i] == NULL) {
            bytes[i] = 1 + (size_t)rand_r(&seed) % 5000;
            object[i] = spmalloc(&kernel_account, bytes[i]);
            if (object[i] != NULL) {
                object[i][0] = mark;
                object[i][bytes[i] - 1] = mark;
            }
        } else {
            EXPECT_TRUE(object[i][0] == mark && object[i][bytes[i] - 1] == mark);
            spmalloc_free(object[i]);
            object[i] = NULL;
        }
    }
    for (unsigned i = 0; i < THREAD_LIVE; i++) {
        spmalloc_free(object[i]);
    }
    machine_leave_core();
    return NULL;
}

TEST(spmalloc, threads_share_it_without_mixing_objects)
{
    static pthread_t thread[THREADS];
    static unsigned seed[THREADS];
    uint64_t before;

    machine_init(PAGES);
    before = machine_free_pages();
    for (unsigned i = 0; i < THREADS; i++) {
        seed[i] = i + 1;
        ASSERT_TRUE(pthread_create(&thread[i], NULL, work, &seed[i]) == 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        ASSERT_TRUE(pthread_join(thread[i], NULL) == 0);
    }
    EXPECT_EQ(machine_free_pages(), before);
    EXPECT_EQ(spmalloc_objects(), 0);
}
