/* SPDX-License-Identifier: MIT */
/* Servers and callers that die during a call, and services that are busy. */
#include <stddef.h>

#include "user/programs/test-call/peer.h"

#define PEER "test-call.peer"
#define SETTLE_YIELDS 50

TEST(user_call, caller_learns_that_its_server_was_killed)
{
    struct peer peer;
    struct thread thread;
    uint64_t word = 0;

    ASSERT_EQUAL(peer_start(&peer, PEER, NULL), OK);
    struct peer_ask ask = {.port = peer.port, .label = PEER_SLEEP};

    ASSERT_EQUAL(thread_start(&thread, peer_ask_once, &ask), OK);
    EXPECT(peer_wait_busy(peer.port));
    EXPECT_EQUAL(program_kill(peer.program.id), OK);
    EXPECT_EQUAL(thread_join(&thread), -ERR_PEER_DIED);
    EXPECT_EQUAL(program_wait(&peer.program), EXIT_KILLED);
    status_t status = peer_ask(peer.port, PEER_ECHO, &word);

    EXPECT(status == ERR_STALE || status == ERR_PEER_DIED);
    EXPECT_EQUAL(handle_close(peer.port), OK);
}

static void server_ends_itself(uint32_t label, int64_t code)
{
    struct peer peer;
    uint64_t word = 0;

    ASSERT_EQUAL(peer_start(&peer, PEER, NULL), OK);
    EXPECT_EQUAL(peer_ask(peer.port, label, &word), ERR_PEER_DIED);
    EXPECT_EQUAL(program_wait(&peer.program), code);
    EXPECT_EQUAL(handle_close(peer.port), OK);
}

TEST(user_call, caller_survives_a_server_that_exits)
{
    server_ends_itself(PEER_EXIT, 7);
}

TEST(user_call, caller_survives_a_server_that_faults)
{
    server_ends_itself(PEER_FAULT, EXIT_KILLED + EXIT_FAULT_STORE);
}

TEST(user_call, a_dead_last_link_is_reported_by_the_middle_one)
{
    struct peer middle;
    struct peer last;
    struct thread thread;
    uint64_t word = 0;

    ASSERT_EQUAL(peer_start(&last, "test-call.last", NULL), OK);
    ASSERT_EQUAL(peer_start(&middle, "test-call.middle", "test-call.last"), OK);
    struct peer_ask ask = {.port = last.port, .label = PEER_SLEEP};

    ASSERT_EQUAL(thread_start(&thread, peer_ask_once, &ask), OK);
    EXPECT(peer_wait_busy(last.port));
    EXPECT_EQUAL(program_kill(last.program.id), OK);
    EXPECT_EQUAL(thread_join(&thread), -ERR_PEER_DIED);
    status_t status = peer_ask(middle.port, PEER_FORWARD, &word);

    EXPECT(status == ERR_STALE || status == ERR_PEER_DIED);
    EXPECT_EQUAL(peer_ask(middle.port, PEER_ECHO, &word), OK);
    EXPECT_EQUAL(program_wait(&last.program), EXIT_KILLED);
    EXPECT_EQUAL(handle_close(last.port), OK);
    peer_stop(&middle);
}

TEST(user_call, waiting_callers_learn_of_the_death_too)
{
    struct peer peer;
    struct thread threads[3];

    ASSERT_EQUAL(peer_start(&peer, PEER, NULL), OK);
    struct peer_ask ask = {.port = peer.port, .label = PEER_SLEEP};

    for (int i = 0; i < 3; i++) {
        ASSERT_EQUAL(thread_start(&threads[i], peer_ask_once, &ask), OK);
    }
    EXPECT(peer_wait_busy(peer.port));
    for (int i = 0; i < SETTLE_YIELDS; i++) {
        thread_yield();
    }
    EXPECT_EQUAL(program_kill(peer.program.id), OK);
    for (int i = 0; i < 3; i++) {
        int64_t code = thread_join(&threads[i]);

        EXPECT(code == -ERR_PEER_DIED || code == -ERR_STALE);
    }
    EXPECT_EQUAL(program_wait(&peer.program), EXIT_KILLED);
    EXPECT_EQUAL(handle_close(peer.port), OK);
}

TEST(user_call, a_killed_caller_leaves_the_service_usable)
{
    struct peer peer;
    struct thread thread;
    uint64_t word = 42;

    ASSERT_EQUAL(peer_start(&peer, PEER, NULL), OK);
    struct peer_ask ask = {.port = peer.port, .label = PEER_NAP, .word = test_deadline_ms(60000)};

    ASSERT_EQUAL(thread_start(&thread, peer_ask_once, &ask), OK);
    EXPECT(peer_wait_busy(peer.port));
    EXPECT_EQUAL(thread_kill(thread.handle), OK);
    EXPECT_EQUAL(thread_join(&thread), EXIT_KILLED);
    peer_let_go(PEER);
    EXPECT_EQUAL(peer_ask(peer.port, PEER_ECHO, &word), OK);
    EXPECT_EQUAL(word, 42);
    peer_stop(&peer);
}

TEST(user_call, a_busy_service_is_waited_for_until_the_deadline)
{
    struct peer peer;
    struct thread thread;
    struct message message = {.tag = MESSAGE_TAG(PEER_ECHO, 0)};
    uint64_t deadline;

    ASSERT_EQUAL(peer_start(&peer, PEER, NULL), OK);
    struct peer_ask ask = {.port = peer.port, .label = PEER_SLEEP};

    ASSERT_EQUAL(thread_start(&thread, peer_ask_once, &ask), OK);
    EXPECT(peer_wait_busy(peer.port));
    deadline = test_deadline_ms(5);
    EXPECT_EQUAL(port_call_until(peer.port, &message, deadline), ERR_TIMED_OUT);
    EXPECT(clock_ns() >= deadline);
    EXPECT_EQUAL(thread_kill(thread.handle), OK);
    EXPECT_EQUAL(thread_join(&thread), EXIT_KILLED);
    peer_stop(&peer);
}
