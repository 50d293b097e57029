/* SPDX-License-Identifier: MIT */
/* What happens to a call while something it needs is taken away. */
#include "user/lib/baton.h"
#include "user/lib/test.h"
#include "user/programs/call-peer/protocol.h"
#include "user/programs/test-call/peer.h"

#define ROUNDS 20000U
#define PEER "test-call.races"

static handle_t shared; /* atomic: closed and made again by one thread, called by the other */
static uint32_t stop;   /* atomic */

static void serve(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    message->word[0] = badge;
    service_reply(message, OK, 1);
}

/* Calls what the handle names now; the exit code counts answers that nobody could have given. */
static int call_all_the_time(void *argument)
{
    int wrong = 0;

    (void)argument;
    /* relaxed: only a value to try */
    while (__atomic_load_n(&stop, __ATOMIC_RELAXED) == 0) {
        struct message message = {.tag = MESSAGE_TAG(1, 0)};
        status_t status = port_call(__atomic_load_n(&shared, __ATOMIC_RELAXED), &message);

        if (status == OK ? message.word[0] != 7 : status != ERR_BAD_HANDLE) {
            wrong = 1;
        }
    }
    return wrong;
}

TEST(user_call, a_handle_that_is_closed_and_made_again_answers_or_is_bad)
{
    struct thread thread;
    handle_t port;

    ASSERT_EQUAL(service_create(serve, NULL, &port), OK);
    /* relaxed: the thread starts after it */
    __atomic_store_n(&stop, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&shared, (handle_t)handle_duplicate(port, RIGHT_CALL, 7), __ATOMIC_RELAXED);
    ASSERT_EQUAL(thread_start(&thread, call_all_the_time, NULL), OK);
    for (unsigned i = 0; i < ROUNDS; i++) {
        EXPECT_EQUAL(handle_close(__atomic_load_n(&shared, __ATOMIC_RELAXED)), OK);
        /* The slot serves another kind of right in between, without a badge. */
        int64_t other = handle_duplicate(port, RIGHT_MANAGE, 0);

        EXPECT_EQUAL(handle_close((handle_t)other), OK);
        /* relaxed: only a value to try */
        __atomic_store_n(&shared, (handle_t)handle_duplicate(port, RIGHT_CALL, 7),
                         __ATOMIC_RELAXED);
    }
    /* relaxed: the join orders what matters */
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    EXPECT_EQUAL(thread_join(&thread), 0);
    EXPECT_EQUAL(port_close(port), OK);
}

/* The next call finds floating-point registers to save and takes the slow path. */
static void touch_float(void)
{
    __asm__ volatile("fmv.d.x ft0, zero" ::: "ft0");
}

TEST(user_call, a_healthy_service_is_reached_after_another_one_died)
{
    struct peer peer;
    handle_t echo;
    uint64_t word = 0;

    ASSERT_EQUAL(peer_start(&peer, PEER, NULL), OK);
    ASSERT_EQUAL(service_create(serve, NULL, &echo), OK);
    touch_float();
    EXPECT_EQUAL(peer_ask(peer.port, PEER_EXIT, &word), ERR_PEER_DIED);
    for (int i = 0; i < 3; i++) {
        struct message message = {.tag = MESSAGE_TAG(1, 0)};

        touch_float();
        EXPECT_EQUAL(port_call(echo, &message), OK);
    }
    program_wait(&peer.program);
    EXPECT_EQUAL(handle_close(peer.port), OK);
    EXPECT_EQUAL(port_close(echo), OK);
}
