/* SPDX-License-Identifier: MIT */
/* The object allocator. */
#include "mm/spmalloc.h"

#include <string.h>

#include "kernel/abi/limits.h"
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
