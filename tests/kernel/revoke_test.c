/* SPDX-License-Identifier: MIT */
/* Revoking: all that was made from a handle ends, and nothing else. */
#include "kernel/object/handle.h"

#include "kernel/base/atomic.h"
#include "mm/spmalloc.h"
#include "tests/kernel/crew.h"

#define TABLES 3U
#define EVERYTHING (RIGHT_CALL | RIGHT_DUPLICATE | RIGHT_TRANSFER)

/* Static: an old array may be given back, by way of its table, after the test has ended. */
static struct handle_table tables[TABLES];
static struct object object;

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

static void never_destroyed(struct object *unused)
{
    (void)unused;
    BUG_ON(true);
}

static handle_t begin(void)
{
    handle_t handle = HANDLE_NONE;

    object_init(&object, OBJECT_PORT, never_destroyed);
    for (unsigned i = 0; i < TABLES; i++) {
        EXPECT_OK(handle_table_init(&tables[i], NULL, take_memory, return_memory));
    }
    EXPECT_OK(handle_open(&tables[0], &object, EVERYTHING, 0, &handle));
    return handle;
}

static void end(void)
{
    for (unsigned i = 0; i < TABLES; i++) {
        handle_table_destroy(&tables[i]);
    }
    EXPECT_EQ(object.references, 1);
}

static bool is_open(unsigned table, handle_t handle)
{
    struct object *found;
    status_t status = handle_get(&tables[table], handle, OBJECT_PORT, 0, &found, NULL);

    if (status == OK) {
        object_release(found);
    }
    return status == OK;
}

static handle_t duplicate(unsigned table, handle_t handle)
{
    handle_t copy = HANDLE_NONE;

    EXPECT_OK(handle_duplicate(&tables[table], handle, EVERYTHING, 0, &copy));
    return copy;
}

static handle_t transfer(unsigned from, handle_t handle, unsigned to)
{
    struct handle_copy copy;
    handle_t arrived = HANDLE_NONE;

    status_t status = handle_take_out(&tables[from], handle, EVERYTHING, &copy);

    EXPECT_OK(status);
    if (status != OK) {
        return HANDLE_NONE;
    }
    EXPECT_OK(handle_put_in(&tables[to], &copy, &arrived));
    handle_copy_drop(&copy);
    return arrived;
}

TEST(revoke, ends_copies_of_copies_in_every_table_but_not_the_handle)
{
    handle_t first = begin();
    handle_t other = HANDLE_NONE;
    handle_t copy = duplicate(0, first);
    handle_t away = transfer(0, first, 1);
    handle_t further = transfer(1, duplicate(1, away), 2);

    EXPECT_OK(handle_open(&tables[0], &object, EVERYTHING, 0, &other));
    handle_t others = transfer(0, other, 1);
    EXPECT_OK(handle_revoke(&tables[0], first));
    EXPECT_TRUE(is_open(0, first));
    EXPECT_FALSE(is_open(0, copy));
    EXPECT_FALSE(is_open(1, away));
    EXPECT_FALSE(is_open(2, further));
    EXPECT_TRUE(is_open(0, other));
    EXPECT_TRUE(is_open(1, others));
    EXPECT_EQ(handle_count(&tables[0]) + handle_count(&tables[1]) + handle_count(&tables[2]), 3);
    EXPECT_EQ(object.references, 4);
    EXPECT_TRUE(is_open(1, transfer(0, first, 1))); /* made afterwards */
    EXPECT_EQ(handle_revoke(&tables[0], copy), ERR_BAD_HANDLE);
    end();
}

TEST(revoke, of_a_copy_leaves_the_original_and_its_other_copies)
{
    handle_t first = begin();
    handle_t left = transfer(0, first, 1);
    handle_t right = transfer(0, first, 2);
    handle_t below = transfer(1, left, 2);

    EXPECT_OK(handle_revoke(&tables[1], left));
    EXPECT_FALSE(is_open(2, below));
    EXPECT_TRUE(is_open(1, left) && is_open(2, right) && is_open(0, first));
    EXPECT_OK(handle_revoke(&tables[2], right)); /* has none */
    EXPECT_TRUE(is_open(2, right));
    end();
}

/* Closes the middle ones of a chain in each order; whoever is left is found from the top. */
TEST(revoke, reaches_through_handles_that_were_closed)
{
    for (unsigned order = 0; order < 6; order++) {
        static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                             {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
        handle_t first = begin();
        handle_t chain[3];
        handle_t twigs[3];

        for (unsigned i = 0; i < 3; i++) {
            chain[i] = transfer(i == 0 ? 0 : 1, i == 0 ? first : chain[i - 1], 1);
            twigs[i] = transfer(1, chain[i], 2);
        }
        for (unsigned i = 0; i < 3; i++) {
            EXPECT_OK(handle_close(&tables[1], chain[orders[order][i]]));
            for (unsigned twig = 0; twig < 3; twig++) {
                EXPECT_TRUE(is_open(2, twigs[twig]));
            }
        }
        EXPECT_OK(handle_revoke(&tables[0], first));
        EXPECT_EQ(handle_count(&tables[2]), 0);
        EXPECT_EQ(object.references, 2);
        end();
    }
}

TEST(revoke, reaches_what_a_table_that_ended_had_passed_on)
{
    handle_t first = begin();
    handle_t far = transfer(1, transfer(0, first, 1), 2);

    handle_table_destroy(&tables[1]);
    EXPECT_TRUE(is_open(2, far));
    EXPECT_OK(handle_revoke(&tables[0], first));
    EXPECT_FALSE(is_open(2, far));
    EXPECT_OK(handle_table_init(&tables[1], NULL, take_memory, return_memory));
    end();
}

TEST(revoke, stops_what_is_on_its_way)
{
    handle_t first = begin();
    struct handle_copy copy, again;
    handle_t handle = HANDLE_NONE;

    ASSERT_OK(handle_take_out(&tables[0], first, RIGHT_CALL, &copy));
    handle_copy_again(&copy, &again);
    EXPECT_OK(handle_put_in(&tables[1], &copy, &handle));
    EXPECT_OK(handle_revoke(&tables[0], first));
    EXPECT_FALSE(is_open(1, handle));
    EXPECT_EQ(handle_put_in(&tables[1], &copy, &handle), ERR_STALE);
    EXPECT_EQ(handle_put_in(&tables[1], &again, &handle), ERR_STALE);
    EXPECT_EQ(handle_count(&tables[1]), 0);
    handle_copy_drop(&copy);
    handle_copy_drop(&again);
    ASSERT_OK(handle_take_out(&tables[0], first, RIGHT_CALL, &copy));
    EXPECT_OK(handle_close(&tables[0], first)); /* closing does not stop it */
    EXPECT_OK(handle_put_in(&tables[1], &copy, &handle));
    handle_copy_drop(&copy);
    EXPECT_TRUE(is_open(1, handle));
    end();
}

TEST(revoke, needs_the_right_to_have_copied)
{
    struct handle_copy copy;
    handle_t handle;

    (void)begin();
    EXPECT_OK(handle_open(&tables[0], &object, RIGHT_CALL | RIGHT_DUPLICATE, 0, &handle));
    EXPECT_EQ(handle_take_out(&tables[0], handle, RIGHT_CALL, &copy), ERR_NO_RIGHT);
    EXPECT_OK(handle_open(&tables[0], &object, RIGHT_CALL | RIGHT_TRANSFER, 0, &handle));
    EXPECT_EQ(handle_take_out(&tables[0], handle, RIGHT_SEND, &copy), ERR_NO_RIGHT);
    EXPECT_EQ(handle_take_out(&tables[0], HANDLE_NONE, 0, &copy), ERR_BAD_HANDLE);
    end();
}

TEST(revoke, ends_what_was_made_of_the_same_thing)
{
    handle_t first = begin();
    handle_t part = HANDLE_NONE;

    EXPECT_OK(handle_open_from(&tables[0], first, &object, RIGHT_CALL, &part));
    EXPECT_EQ(handle_open_from(&tables[0], HANDLE_NONE, &object, 0, &part), ERR_BAD_HANDLE);
    EXPECT_TRUE(is_open(0, part));
    EXPECT_OK(handle_revoke(&tables[0], first));
    EXPECT_FALSE(is_open(0, part));
    end();
}

TEST(revoke, of_many_copies_while_tables_grow)
{
    handle_t first = begin();
    handle_t last = first;

    for (unsigned i = 0; i < 500; i++) {
        handle_t copy = transfer(0, i % 3 == 0 ? first : last, i % 2);

        last = i % 2 == 0 ? copy : last;
    }
    EXPECT_EQ(handle_count(&tables[0]) + handle_count(&tables[1]), 501);
    EXPECT_OK(handle_revoke(&tables[0], first));
    EXPECT_EQ(handle_count(&tables[0]), 1);
    EXPECT_EQ(handle_count(&tables[1]), 0);
    EXPECT_EQ(object.references, 2);
    end();
}

#define STORM_ROUNDS 400U

static handle_t storm_first;

/* Copies, passes on, closes and revokes at random; in the end nothing is left behind what was revoked. */
static void storm(void *argument)
{
    struct crew_member *member = argument;
    uint32_t seed = member->index + 1;
    handle_t mine[8] = {HANDLE_NONE};
    unsigned table = member->index % TABLES;

    for (unsigned round = 0; round < STORM_ROUNDS; round++) {
        unsigned i = crew_random(&seed) % ARRAY_SIZE(mine);
        struct handle_copy copy;
        status_t status;
        handle_t from = mine[crew_random(&seed) % ARRAY_SIZE(mine)];

        switch (crew_random(&seed) % 8) {
        case 0:
            status = handle_revoke(&tables[table], mine[i]);
            EXPECT_TRUE(status == OK || status == ERR_BAD_HANDLE);
            break;
        case 1:
            if (member->index == 0) {
                EXPECT_OK(handle_revoke(&tables[0], storm_first));
            }
            break;
        case 2:
        case 3:
            (void)handle_close(&tables[table], mine[i]);
            mine[i] = HANDLE_NONE;
            break;
        case 4:
            (void)handle_close(&tables[table], mine[i]);
            (void)handle_duplicate(&tables[table], from, EVERYTHING, 0, &mine[i]);
            break;
        default:
            if (handle_take_out(&tables[from == HANDLE_NONE ? 0 : table],
                                from == HANDLE_NONE ? storm_first : from, EVERYTHING,
                                &copy) == OK) {
                (void)handle_close(&tables[table], mine[i]);
                mine[i] = HANDLE_NONE;
                status = handle_put_in(&tables[table], &copy, &mine[i]);
                EXPECT_TRUE(status == OK || status == ERR_STALE);
                handle_copy_drop(&copy);
            }
            break;
        }
    }
}

TEST(revoke, a_storm_of_copies_and_revokes_leaves_nothing)
{
    for (unsigned round = 0; round < 5; round++) {
        storm_first = begin();
        crew_run(4, storm, NULL);
        EXPECT_OK(handle_revoke(&tables[0], storm_first));
        EXPECT_EQ(handle_count(&tables[0]), 1);
        EXPECT_EQ(handle_count(&tables[1]) + handle_count(&tables[2]), 0);
        EXPECT_EQ(object.references, 2);
        end();
    }
}
