/* SPDX-License-Identifier: MIT */
/* Mappings end with the copy of a handle that they were made through. */
#include <string.h>

#include "user/lib/test.h"

#define PAGES 200U
#define BYTES (PAGES * PAGE_BYTES)
#define RIGHTS_MAP (RIGHT_MAP_READ | RIGHT_MAP_WRITE | RIGHT_DUPLICATE)

static handle_t make(void)
{
    return (handle_t)memory_create(BYTES, MEMORY_ANONYMOUS);
}

static handle_t copy_of(handle_t memory)
{
    return (handle_t)handle_duplicate(memory, RIGHTS_MAP, 0);
}

static char *map(handle_t memory, uint64_t flags)
{
    return (char *)memory_map_object(NULL, BYTES, PROTECT_READ | PROTECT_WRITE | flags, memory, 0,
                                     0);
}

static bool can_read(const char *address)
{
    return debug_write(address, 0) == OK && debug_write(address, 1) != ERR_FAULT;
}

TEST(user_revoke, mappings_through_a_copy_fault_and_others_stay)
{
    handle_t memory = make();
    handle_t copy = copy_of(memory);
    char *own = map(memory, 0);
    char *through = map(copy, MEMORY_POPULATE);
    char *untouched = map(copy, 0);

    memset(own, '\n', BYTES);
    EXPECT_EQUAL(through[BYTES - 1], '\n');
    EXPECT_EQUAL(handle_close(copy), OK); /* the mappings stay */
    EXPECT(can_read(through) && can_read(untouched));
    EXPECT_EQUAL(handle_revoke(memory), OK);
    for (unsigned i = 0; i < PAGES; i += 33) {
        EXPECT(!can_read(through + i * PAGE_BYTES));
        EXPECT(!can_read(untouched + i * PAGE_BYTES));
        EXPECT(can_read(own + i * PAGE_BYTES));
    }
    EXPECT_EQUAL(memory_protect(through, BYTES, PROTECT_READ), ERR_NO_RIGHT);
    EXPECT_EQUAL(memory_unmap(through, BYTES), OK);
    EXPECT_EQUAL(memory_unmap(untouched, BYTES), OK);
    EXPECT_EQUAL(memory_unmap(own, BYTES), OK);
    EXPECT_EQUAL(handle_close(memory), OK);
}

TEST(user_revoke, parts_of_a_mapping_end_as_well)
{
    handle_t memory = make();
    handle_t copy = copy_of(memory);
    char *through = map(copy, MEMORY_POPULATE);

    EXPECT_EQUAL(memory_unmap(through + 10 * PAGE_BYTES, PAGE_BYTES), OK);
    EXPECT_EQUAL(memory_protect(through + 20 * PAGE_BYTES, PAGE_BYTES, PROTECT_READ), OK);
    EXPECT(can_read(through) && can_read(through + 20 * PAGE_BYTES));
    EXPECT_EQUAL(handle_revoke(memory), OK);
    EXPECT(!can_read(through));
    EXPECT(!can_read(through + 11 * PAGE_BYTES));
    EXPECT(!can_read(through + 20 * PAGE_BYTES));
    EXPECT(!can_read(through + BYTES - PAGE_BYTES));
    EXPECT_EQUAL(memory_unmap(through, 10 * PAGE_BYTES), OK);
    EXPECT_EQUAL(memory_unmap(through + 11 * PAGE_BYTES, BYTES - 11 * PAGE_BYTES), OK);
    EXPECT_EQUAL(handle_close(memory), OK);
}

TEST(user_revoke, a_revoke_of_the_handle_itself_leaves_what_it_mapped)
{
    handle_t memory = make();
    handle_t copy = copy_of(memory);
    char *through = map(copy, 0);

    EXPECT_EQUAL(handle_revoke(copy), OK);
    EXPECT(can_read(through));
    EXPECT_EQUAL(handle_revoke(memory), OK);
    EXPECT(!can_read(through));
    EXPECT_EQUAL(memory_unmap(through, BYTES), OK);
    EXPECT_EQUAL(handle_close(memory), OK);
}

#define STORM_BYTES (8 * PAGE_BYTES)
#define STORM_REVOKES 20U

static handle_t storm_memory;
static uint64_t storm_over;

/* Maps through copies, changes and unmaps, whatever is revoked meanwhile. */
static int storm(void *argument)
{
    (void)argument;
    /* acquire: pairs with the release of who ends it */
    while (__atomic_load_n(&storm_over, __ATOMIC_ACQUIRE) == 0) {
        int64_t copy = handle_duplicate(storm_memory, RIGHTS_MAP, 0);
        int64_t address = copy < 0
                              ? copy
                              : memory_map_object(NULL, STORM_BYTES, PROTECT_READ | MEMORY_POPULATE,
                                                  (handle_t)copy, 0, 0);

        if (address >= 0) {
            (void)memory_protect((char *)address + PAGE_BYTES, PAGE_BYTES,
                                 PROTECT_READ | PROTECT_WRITE);
            EXPECT_EQUAL(memory_unmap((char *)address, STORM_BYTES), OK);
        } else {
            EXPECT(address == ERR_BAD_HANDLE);
        }
        if (copy >= 0) {
            (void)handle_close((handle_t)copy);
        }
    }
    return 0;
}

TEST(user_revoke, a_storm_of_mappings_and_revokes_ends_whole)
{
    struct thread threads[3];
    struct memory_info info;

    storm_memory = make();
    storm_over = 0;
    for (unsigned i = 0; i < 3; i++) {
        ASSERT_EQUAL(thread_start(&threads[i], storm, NULL), OK);
    }
    for (unsigned i = 0; i < STORM_REVOKES; i++) {
        EXPECT_EQUAL(handle_revoke(storm_memory), OK);
        thread_yield();
    }
    /* release: pairs with the acquire in storm */
    __atomic_store_n(&storm_over, 1, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < 3; i++) {
        thread_join(&threads[i]);
    }
    EXPECT_EQUAL(handle_revoke(storm_memory), OK);
    EXPECT_EQUAL(memory_info(storm_memory, &info), OK);
    EXPECT_EQUAL(info.mappings, 0);
    EXPECT_EQUAL(handle_close(storm_memory), OK);
}
