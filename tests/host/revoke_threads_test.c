/* SPDX-License-Identifier: MIT */
/*
 * A handle is closed by one thread while another one passes it on.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "kernel/base/atomic.h"
#include "kernel/object/handle.h"
#include "tests/test.h"

#define ROUNDS 200000U
#define DELAYS 64U
#define RIGHTS (RIGHT_CALL | RIGHT_TRANSFER)

static struct handle_table near, far;
static struct object object;
static uint32_t begun, done; /* rounds; atomic */
static handle_t passed;
static handle_t arrived; /* HANDLE_NONE: the close came first */

static void *take_memory(void *owner, size_t bytes)
{
    (void)owner;
    return malloc(bytes);
}

static void return_memory(void *owner, void *memory, size_t bytes)
{
    (void)owner;
    (void)bytes;
    free(memory);
}

static void never_destroyed(struct object *unused)
{
    (void)unused;
    abort();
}

static void wait_for_round(const uint32_t *counter, uint32_t round)
{
    /* acquire: what the other thread has done; pairs with the release of its round */
    for (unsigned looks = 0; atomic_load_acquire(counter) != round; looks++) {
        if (looks % 1024 == 1023) {
            sched_yield(); /* there may be one core only */
        }
    }
}

static void *pass_on(void *unused)
{
    (void)unused;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        struct handle_copy copy;

        wait_for_round(&begun, round);
        arrived = HANDLE_NONE;
        if (handle_take_out(&near, passed, RIGHTS, &copy) == OK) {
            EXPECT_EQ(handle_put_in(&far, &copy, &arrived), OK);
            handle_copy_drop(&copy);
        }
        /* release: what arrived; pairs with the acquire in wait_for_round */
        atomic_store_release(&done, round);
    }
    return NULL;
}

/* The next handle in the slot has no copies: revoking it spares what was made of the last one. */
static void close_and_revoke(uint32_t round)
{
    handle_t next = HANDLE_NONE;

    EXPECT_EQ(handle_open(&near, &object, RIGHTS, 0, &passed), OK);
    /* release: the handle; pairs with the acquire in wait_for_round */
    atomic_store_release(&begun, round);
    for (volatile unsigned i = 0; i < round % DELAYS; i++) {
    }
    EXPECT_EQ(handle_close(&near, passed), OK);
    wait_for_round(&done, round);
    EXPECT_EQ(handle_open(&near, &object, RIGHTS, 0, &next), OK);
    EXPECT_EQ(handle_revoke(&near, next), OK);
    if (arrived != HANDLE_NONE) {
        EXPECT_EQ(handle_close(&far, arrived), OK);
    }
    EXPECT_EQ(handle_close(&near, next), OK);
}

TEST(revoke_threads, a_handle_closed_while_it_is_passed_on_leaves_no_copies_in_its_slot)
{
    pthread_t thread;

    begun = done = 0;
    object_init(&object, OBJECT_PORT, never_destroyed);
    ASSERT_EQ(handle_table_init(&near, NULL, take_memory, return_memory), OK);
    ASSERT_EQ(handle_table_init(&far, NULL, take_memory, return_memory), OK);
    ASSERT_EQ(pthread_create(&thread, NULL, pass_on, NULL), 0);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        close_and_revoke(round);
    }
    pthread_join(thread, NULL);
    handle_table_destroy(&near);
    handle_table_destroy(&far);
    EXPECT_EQ(object.references, 1);
}
