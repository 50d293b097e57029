/* SPDX-License-Identifier: MIT */
/* Handle tables: identity, rights, growth. */
#include "kernel/object/handle.h"

#include "kernel/base/assert.h"
#include "mm/fail.h"
#include "mm/spmalloc.h"
#include "tests/kernel/crew.h"

#define MANY 1000U

/* Static: an old array may be given back, by way of its table, after the test has ended. */
static struct handle_table table;
static struct object port_object;
static struct object thread_object;
static handle_t handles[MANY];

static void *take_memory(void *owner, size_t bytes)
{
    (void)owner;
    return spmalloc(&kernel_account, bytes);
}

static void return_memory(void *owner, void *memory, size_t bytes)
{
    (void)owner;
    (void)bytes;
    spmalloc_free(memory);
}

static void never_destroyed(struct object *object)
{
    (void)object;
    BUG_ON(true);
}

static void begin(void)
{
    object_init(&port_object, OBJECT_PORT, never_destroyed);
    object_init(&thread_object, OBJECT_THREAD, never_destroyed);
    EXPECT_OK(handle_table_init(&table, NULL, take_memory, return_memory));
}

static void end(void)
{
    handle_table_destroy(&table);
    EXPECT_EQ(port_object.references, 1);
    EXPECT_EQ(thread_object.references, 1);
}

/* What handle_get says; a reference that it gave is given back. */
static status_t try_get(handle_t handle, enum object_kind kind, rights_t rights)
{
    struct object *object = NULL;
    uint64_t badge;
    status_t status = handle_get(&table, handle, kind, rights, &object, &badge);

    if (status == OK) {
        object_release(object);
    } else {
        EXPECT_TRUE(object == NULL);
    }
    return status;
}

TEST(handle, names_its_object_until_it_is_closed)
{
    struct object *object = NULL;
    uint64_t badge = 0;
    handle_t handle;

    begin();
    ASSERT_OK(handle_open(&table, &port_object, RIGHT_CALL, 77, &handle));
    EXPECT_EQ(handle_count(&table), 1);
    EXPECT_OK(handle_get(&table, handle, OBJECT_PORT, RIGHT_CALL, &object, &badge));
    EXPECT_TRUE(object == &port_object);
    EXPECT_EQ(badge, 77);
    EXPECT_EQ(port_object.references, 3);
    object_release(object);
    EXPECT_EQ(try_get(handle, OBJECT_THREAD, 0), ERR_WRONG_TYPE);
    EXPECT_EQ(try_get(handle, OBJECT_PORT, RIGHT_MANAGE), ERR_NO_RIGHT);
    EXPECT_EQ(try_get(handle + 1, OBJECT_PORT, 0), ERR_BAD_HANDLE);
    EXPECT_EQ(try_get(HANDLE_NONE, OBJECT_PORT, 0), ERR_BAD_HANDLE);
    EXPECT_EQ(try_get(~0UL, OBJECT_PORT, 0), ERR_BAD_HANDLE);
    EXPECT_OK(handle_close(&table, handle));
    EXPECT_EQ(try_get(handle, OBJECT_PORT, 0), ERR_BAD_HANDLE);
    EXPECT_EQ(handle_close(&table, handle), ERR_BAD_HANDLE);
    EXPECT_EQ(handle_count(&table), 0);
    end();
}

TEST(handle, a_stale_value_never_names_a_successor)
{
    begin();
    for (unsigned i = 0; i < 200; i++) {
        ASSERT_OK(handle_open(&table, &port_object, RIGHT_CALL, 0, &handles[i]));
        for (unsigned old = 0; old < i; old++) {
            ASSERT_NE(handles[old], handles[i]);
            ASSERT_EQ(try_get(handles[old], OBJECT_PORT, 0), ERR_BAD_HANDLE);
            if ((handles[old] & 0xffff) == (handles[i] & 0xffff)) {
                ASSERT_TRUE(handles[i] >> 16 > handles[old] >> 16);
            }
        }
        ASSERT_OK(handle_close(&table, handles[i]));
    }
    end();
}

/* Does the handle have exactly these rights? */
static bool has_exactly(handle_t handle, rights_t rights)
{
    for (rights_t bit = 1; bit <= RIGHTS_ALL; bit <<= 1) {
        if ((try_get(handle, OBJECT_PORT, bit) == OK) != ((rights & bit) != 0)) {
            return false;
        }
    }
    return true;
}

TEST(handle, duplicates_never_gain_a_right)
{
    rights_t port_rights = RIGHTS_PORT;

    begin();
    for (rights_t have = 0; have <= RIGHTS_ALL; have += 3) {
        handle_t original;

        ASSERT_OK(handle_open(&table, &port_object, have, 0, &original));
        for (rights_t want = 0; want <= RIGHTS_ALL; want++) {
            bool allowed = (have & RIGHT_DUPLICATE) != 0 && (want & ~(have & port_rights)) == 0;
            handle_t copy = HANDLE_NONE;
            status_t status = handle_duplicate(&table, original, want, 0, &copy);

            ASSERT_EQ(status, allowed ? OK : ERR_NO_RIGHT);
            if (allowed) {
                ASSERT_TRUE(has_exactly(copy, want));
                ASSERT_OK(handle_close(&table, copy));
            }
        }
        ASSERT_OK(handle_close(&table, original));
    }
    end();
}

TEST(handle, a_badge_can_be_given_once_and_never_changed)
{
    struct object *object;
    handle_t plain, badged, copy;
    uint64_t badge = 0;

    begin();
    ASSERT_OK(handle_open(&table, &port_object, RIGHTS_ALL, 0, &plain));
    ASSERT_OK(handle_duplicate(&table, plain, RIGHT_CALL | RIGHT_DUPLICATE, 7, &badged));
    EXPECT_EQ(handle_duplicate(&table, badged, RIGHT_CALL, 9, &copy), ERR_NO_RIGHT);
    ASSERT_OK(handle_duplicate(&table, badged, RIGHT_CALL, 0, &copy));
    ASSERT_OK(handle_get(&table, copy, OBJECT_PORT, RIGHT_CALL, &object, &badge));
    object_release(object);
    EXPECT_EQ(badge, 7);
    end();
}

TEST(handle, growing_keeps_every_old_value_valid)
{
    begin();
    for (unsigned i = 0; i < MANY; i++) {
        ASSERT_OK(handle_open(&table, i % 2 == 0 ? &port_object : &thread_object, RIGHT_DUPLICATE,
                              i, &handles[i]));
    }
    EXPECT_EQ(handle_count(&table), MANY);
    for (unsigned i = 0; i < MANY; i++) {
        struct object *object;
        uint64_t badge = 0;

        ASSERT_OK(handle_get(&table, handles[i], i % 2 == 0 ? OBJECT_PORT : OBJECT_THREAD, 0,
                             &object, &badge));
        object_release(object);
        ASSERT_EQ(badge, i);
    }
    end();
}

/* What a new table has room for: 32 slots, of which the first is never used. */
#define FIRST_HANDLES 31U

TEST(handle, a_table_without_memory_for_growth_stays_as_it_was)
{
    begin();
    for (unsigned i = 0; i < FIRST_HANDLES; i++) {
        ASSERT_OK(handle_open(&table, &port_object, 0, i, &handles[i]));
    }
    fail_nth_allocation(1);
    EXPECT_EQ(handle_open(&table, &port_object, 0, 0, &handles[FIRST_HANDLES]), ERR_NO_MEMORY);
    EXPECT_FALSE(fail_is_pending());
    EXPECT_EQ(handle_count(&table), FIRST_HANDLES);
    EXPECT_OK(handle_open(&table, &port_object, 0, 0, &handles[FIRST_HANDLES]));
    for (unsigned i = 0; i <= FIRST_HANDLES; i++) {
        EXPECT_OK(try_get(handles[i], OBJECT_PORT, 0));
    }
    end();
}

/* White box: the slot of a handle, and its entry. */
static struct handle_entry *entry_of(handle_t handle)
{
    return &table.array->entry[handle & 0xffff];
}

TEST(handle, the_slot_freed_last_is_used_next_in_a_full_table)
{
    begin();
    for (unsigned i = 0; i < FIRST_HANDLES; i++) {
        ASSERT_OK(handle_open(&table, &port_object, 0, i, &handles[i]));
    }
    for (unsigned i = 0; i < FIRST_HANDLES; i++) {
        handle_t old = handles[i];

        ASSERT_OK(handle_close(&table, old));
        ASSERT_OK(handle_open(&table, &port_object, 0, i, &handles[i]));
        EXPECT_EQ(handles[i], old + 0x10000);
        EXPECT_EQ(try_get(old, OBJECT_PORT, 0), ERR_BAD_HANDLE);
    }
    EXPECT_EQ(table.array->mask / sizeof(struct handle_entry), FIRST_HANDLES);
    end();
}

TEST(handle, a_slot_whose_generations_are_used_up_is_never_used_again)
{
    const uint64_t last = 0x7fffffffffffUL;
    handle_t retired;

    begin();
    ASSERT_OK(handle_open(&table, &port_object, 0, 0, &handles[0]));
    ASSERT_OK(handle_close(&table, handles[0]));
    entry_of(handles[0])->badge = last << 16 | (handles[0] & 0xffff);
    ASSERT_OK(handle_open(&table, &port_object, 0, 0, &retired));
    EXPECT_EQ(retired, last << 16 | (handles[0] & 0xffff));
    EXPECT_OK(try_get(retired, OBJECT_PORT, 0));
    ASSERT_OK(handle_close(&table, retired));
    for (unsigned i = 0; i < MANY; i++) {
        ASSERT_OK(handle_open(&table, &port_object, 0, i, &handles[i]));
        ASSERT_NE(handles[i] & 0xffff, retired & 0xffff);
    }
    EXPECT_EQ(try_get(retired, OBJECT_PORT, 0), ERR_BAD_HANDLE);
    end();
}

#define GROWN_FROM 256U

TEST(handle, what_changes_while_the_table_grows_is_in_the_grown_one)
{
    begin();
    for (unsigned i = 0; i < GROWN_FROM - 1; i++) {
        ASSERT_OK(handle_open(&table, &port_object, 0, i, &handles[i]));
    }
    /* As if another thread had begun: the array is made, some entries are copied. */
    ASSERT_OK(handle_table_grow_step(&table));
    ASSERT_OK(handle_table_grow_step(&table));
    ASSERT_TRUE(table.bigger != NULL && table.copied > 2 && table.copied < GROWN_FROM - 2);
    handle_t copied = handles[1], later = handles[GROWN_FROM - 2];
    ASSERT_OK(handle_close(&table, copied));
    ASSERT_OK(handle_close(&table, later));
    ASSERT_OK(handle_open(&table, &thread_object, 0, 7, &handles[1])); /* the slot of `later` */
    ASSERT_OK(handle_open(&table, &thread_object, 0, 8, &handles[GROWN_FROM - 2]));
    ASSERT_TRUE(table.bigger != NULL);
    for (unsigned i = GROWN_FROM - 1; i < MANY; i++) {
        ASSERT_OK(handle_open(&table, &port_object, 0, i, &handles[i]));
    }
    EXPECT_EQ(try_get(copied, OBJECT_NONE, 0), ERR_BAD_HANDLE);
    EXPECT_EQ(try_get(later, OBJECT_NONE, 0), ERR_BAD_HANDLE);
    EXPECT_OK(try_get(handles[1], OBJECT_THREAD, 0));
    EXPECT_OK(try_get(handles[GROWN_FROM - 2], OBJECT_THREAD, 0));
    EXPECT_EQ(handle_count(&table), MANY);
    for (unsigned i = 0; i < MANY; i++) {
        for (unsigned other = i + 1; other < MANY; other++) {
            ASSERT_NE(handles[i] & 0xffff, handles[other] & 0xffff);
        }
    }
    end();
}

TEST(handle, a_table_that_ends_half_grown_gives_everything_back)
{
    begin();
    for (unsigned i = 0; i < GROWN_FROM - 1; i++) {
        ASSERT_OK(handle_open(&table, &port_object, 0, i, &handles[i]));
    }
    ASSERT_OK(handle_table_grow_step(&table));
    ASSERT_OK(handle_table_grow_step(&table));
    ASSERT_TRUE(table.bigger != NULL);
    end();
}

/* Four threads open and close in one table from its smallest size on. */
static void churn(void *argument)
{
    struct crew_member *member = argument;
    uint32_t seed = member->index;
    handle_t mine[200];

    for (unsigned round = 0; round < 20; round++) {
        unsigned count = 1 + crew_random(&seed) % ARRAY_SIZE(mine);

        for (unsigned i = 0; i < count; i++) {
            EXPECT_OK(handle_open(&table, &port_object, 0, member->index, &mine[i]));
        }
        for (unsigned i = 0; i < count; i++) {
            struct object *object;
            uint64_t badge = ~0UL;

            EXPECT_OK(handle_get(&table, mine[i], OBJECT_PORT, 0, &object, &badge));
            EXPECT_EQ(badge, member->index);
            object_release(object);
            EXPECT_OK(handle_close(&table, mine[i]));
        }
    }
}

TEST(handle, threads_that_grow_one_table_together_never_share_a_slot)
{
    begin();
    crew_run(4, churn, NULL);
    EXPECT_EQ(handle_count(&table), 0);
    end();
}
