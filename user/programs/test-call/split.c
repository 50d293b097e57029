/* SPDX-License-Identifier: MIT */
/* Callers that go on, or end, while what they called still runs. */
#include <stddef.h>

#include "user/lib/fpu_probe.h"
#include "user/programs/test-call/peer.h"
#include "user/programs/test-call/probe.h"

#define SERVER "test-call.server"
#define MIDDLE "test-call.middle"
#define LONG_MS 60000 /* a run that somebody is not to wait for; it is let go before */
#define SHORT_MS 10
#define ROUNDS 400
#define SLICE_NS 50000UL

/* SERVER runs on; when it is let go, it answers the next caller. */
static void expect_runs_on(handle_t port)
{
    uint64_t count = 0;

    EXPECT(peer_is_busy(port));
    peer_let_go(SERVER);
    EXPECT_EQUAL(peer_ask(port, PEER_COUNT, &count), OK);
    EXPECT_EQUAL(count, 1);
}

static void kill_the_caller(uint32_t label)
{
    struct peer peer;
    struct thread thread;

    ASSERT_EQUAL(peer_start(&peer, SERVER, NULL), OK);
    struct peer_ask ask = {.port = peer.port, .label = label, .word = test_deadline_ms(LONG_MS)};

    ASSERT_EQUAL(thread_start(&thread, peer_ask_once, &ask), OK);
    EXPECT(peer_wait_runs(SERVER, 1));
    handle_t again = (handle_t)handle_duplicate(thread.handle, RIGHT_WAIT, 0);
    EXPECT_EQUAL(thread_kill(thread.handle), OK);
    EXPECT_EQUAL(thread_join(&thread), EXIT_KILLED);
    expect_runs_on(peer.port);
    peer_stop(&peer);
    /* The end of what it left behind is not its own. */
    EXPECT_EQUAL(handle_join(again, DEADLINE_NONE), EXIT_KILLED);
    EXPECT_EQUAL(handle_close(again), OK);
}

TEST(user_split, a_killed_caller_ends_while_its_service_sleeps)
{
    kill_the_caller(PEER_NAP);
}

TEST(user_split, a_killed_caller_ends_while_its_service_computes)
{
    kill_the_caller(PEER_SPIN);
}

static void time_out(uint32_t label)
{
    struct peer peer;
    uint64_t until;

    ASSERT_EQUAL(peer_start(&peer, SERVER, NULL), OK);
    until = test_deadline_ms(LONG_MS);
    struct message message = {.tag = MESSAGE_TAG(label, 1), .word = {until}};
    uint64_t deadline = test_deadline_ms(SHORT_MS);

    EXPECT_EQUAL(port_call_until(peer.port, &message, deadline), ERR_TIMED_OUT);
    EXPECT(clock_ns() >= deadline);
    EXPECT_EQUAL(message.word[0], until); /* untouched */
    expect_runs_on(peer.port);
    peer_stop(&peer);
}

TEST(user_split, a_deadline_ends_the_wait_for_a_service_that_sleeps)
{
    time_out(PEER_NAP);
}

TEST(user_split, a_deadline_ends_the_wait_for_a_service_that_computes)
{
    time_out(PEER_SPIN);
}

TEST(user_split, a_call_that_ends_in_time_is_as_one_without_a_deadline)
{
    struct peer peer;

    ASSERT_EQUAL(peer_start(&peer, SERVER, NULL), OK);
    for (uint64_t i = 0; i < 100; i++) {
        struct message message = {.tag = MESSAGE_TAG(PEER_ECHO, 2), .word = {i, ~i}};

        ASSERT_EQUAL(port_call_until(peer.port, &message, test_deadline_ms(10000)), OK);
        ASSERT_EQUAL(message.word[0], i);
        ASSERT_EQUAL(message.word[1], ~i);
    }
    struct message late = {.tag = MESSAGE_TAG(PEER_ECHO, 0)};

    EXPECT_EQUAL(port_call_until(peer.port, &late, clock_ns()), ERR_TIMED_OUT);
    EXPECT_EQUAL(port_call_until(peer.port, &late, DEADLINE_NOW), OK);
    peer_stop(&peer);
}

/* Our registers come back with us, and not the service's. */
static void call_until_late(void *argument)
{
    struct message message = {.tag = MESSAGE_TAG(PEER_SPIN, 1),
                              .word = {test_deadline_ms(LONG_MS)}};

    EXPECT_EQUAL(port_call_until(*(handle_t *)argument, &message, test_deadline_ms(SHORT_MS)),
                 ERR_TIMED_OUT);
}

TEST(user_split, floating_point_registers_survive_a_deadline)
{
    struct peer peer;

    ASSERT_EQUAL(peer_start(&peer, SERVER, NULL), OK);
    EXPECT_EQUAL(fpu_probe_hold(77, call_until_late, &peer.port), 0);
    peer_stop(&peer);
}

/* A middle peer that asks the server for a nap until `until`. */
struct chain {
    struct peer server;
    struct peer middle;
    struct thread thread;
    handle_t port; /* of the middle one */
    uint64_t until;
    uint64_t inner; /* deadline of the inner call */
    uint64_t outer;
};

static int ask_middle(void *argument)
{
    struct chain *chain = argument;
    struct message message = {.tag = MESSAGE_TAG(PEER_RELAY, 3),
                              .word = {chain->until, PEER_NAP, chain->inner}};
    status_t status = port_call_until(chain->port, &message, chain->outer);

    return (int)-(status == OK ? message_status(&message) : status);
}

static bool chain_start(struct chain *chain, uint64_t inner_ms, uint64_t outer_ms)
{
    bool started = peer_start(&chain->server, SERVER, NULL) == OK &&
                   peer_start(&chain->middle, MIDDLE, SERVER) == OK;

    chain->port = chain->middle.port;
    chain->until = test_deadline_ms(LONG_MS);
    chain->inner = inner_ms == 0 ? DEADLINE_NONE : test_deadline_ms(inner_ms);
    chain->outer = outer_ms == 0 ? DEADLINE_NONE : test_deadline_ms(outer_ms);
    if (inner_ms == outer_ms) {
        chain->outer = chain->inner;
    }
    started = started && thread_start(&chain->thread, ask_middle, chain) == OK;
    EXPECT(started);
    EXPECT(!started || inner_ms != 0 || outer_ms != 0 || peer_wait_runs(SERVER, 1));
    return started;
}

TEST(user_split, a_killed_first_link_leaves_the_others_running)
{
    struct chain chain;
    uint64_t word = 5;

    if (!chain_start(&chain, 0, 0)) {
        return;
    }
    EXPECT_EQUAL(thread_kill(chain.thread.handle), OK);
    EXPECT_EQUAL(thread_join(&chain.thread), EXIT_KILLED);
    expect_runs_on(chain.server.port);
    EXPECT_EQUAL(peer_ask(chain.middle.port, PEER_ECHO, &word), OK);
    peer_stop(&chain.middle);
    peer_stop(&chain.server);
}

TEST(user_split, a_killed_middle_link_lets_the_caller_go_at_once)
{
    struct chain chain;

    if (!chain_start(&chain, 0, 0)) {
        return;
    }
    EXPECT_EQUAL(program_kill(chain.middle.program.id), OK);
    EXPECT_EQUAL(thread_join(&chain.thread), -ERR_PEER_DIED);
    EXPECT_EQUAL(program_wait(&chain.middle.program), EXIT_KILLED);
    expect_runs_on(chain.server.port);
    EXPECT_EQUAL(handle_close(chain.middle.port), OK);
    peer_stop(&chain.server);
}

TEST(user_split, a_killed_last_link_takes_its_orphan_with_it)
{
    struct chain chain;
    uint64_t word = 5;

    if (!chain_start(&chain, 0, 0)) {
        return;
    }
    EXPECT_EQUAL(thread_kill(chain.thread.handle), OK);
    EXPECT_EQUAL(thread_join(&chain.thread), EXIT_KILLED);
    peer_stop(&chain.server);
    EXPECT_EQUAL(peer_ask(chain.middle.port, PEER_ECHO, &word), OK);
    EXPECT(clock_ns() < chain.until);
    peer_stop(&chain.middle);
}

TEST(user_split, an_inner_deadline_is_the_middle_links_own)
{
    struct chain chain;

    if (!chain_start(&chain, SHORT_MS, 0)) {
        return;
    }
    EXPECT_EQUAL(thread_join(&chain.thread), -ERR_TIMED_OUT);
    EXPECT(clock_ns() < chain.until);
    EXPECT_EQUAL(program_kill(chain.middle.program.id), OK); /* its orphan still runs */
    EXPECT_EQUAL(program_wait(&chain.middle.program), EXIT_KILLED);
    EXPECT_EQUAL(handle_close(chain.middle.port), OK);
    expect_runs_on(chain.server.port);
    peer_stop(&chain.server);
}

TEST(user_split, two_deadlines_in_a_chain_each_end_their_own_call)
{
    struct chain chain;
    uint64_t word = 5;

    if (!chain_start(&chain, 3 * SHORT_MS, SHORT_MS)) {
        return;
    }
    EXPECT_EQUAL(thread_join(&chain.thread), -ERR_TIMED_OUT);
    EXPECT(clock_ns() < chain.until);
    EXPECT_EQUAL(peer_ask(chain.middle.port, PEER_ECHO, &word), OK); /* its call has timed out */
    EXPECT(clock_ns() < chain.until);
    expect_runs_on(chain.server.port);
    peer_stop(&chain.middle);
    peer_stop(&chain.server);
}

TEST(user_split, two_deadlines_that_pass_at_once_end_both_calls)
{
    struct chain chain;
    uint64_t word = 5;

    if (!chain_start(&chain, SHORT_MS, SHORT_MS)) {
        return;
    }
    EXPECT_EQUAL(thread_join(&chain.thread), -ERR_TIMED_OUT);
    EXPECT(clock_ns() < chain.until);
    EXPECT_EQUAL(peer_ask(chain.middle.port, PEER_ECHO, &word), OK);
    expect_runs_on(chain.server.port);
    peer_stop(&chain.middle);
    peer_stop(&chain.server);
}

/* The inner deadline first: then the outer one belongs to the heir. */
TEST(user_split, an_outer_deadline_goes_with_the_caller)
{
    struct peer server;
    struct peer middle;

    ASSERT_EQUAL(peer_start(&server, SERVER, NULL), OK);
    ASSERT_EQUAL(peer_start(&middle, MIDDLE, SERVER), OK);
    for (int round = 0; round < 3; round++) {
        uint64_t until = test_deadline_ms(LONG_MS);
        uint64_t outer = test_deadline_ms(10000);
        struct message message = {.tag = MESSAGE_TAG(PEER_RELAY, 3),
                                  .word = {until, PEER_NAP, test_deadline_ms(SHORT_MS)}};

        EXPECT_EQUAL(port_call_until(middle.port, &message, outer), OK);
        EXPECT_EQUAL(message_status(&message), ERR_TIMED_OUT);
        EXPECT(clock_ns() < until);
    }
    peer_stop(&middle);
    peer_stop(&server);
}

#define PAGED ((volatile uint64_t *)0x3700000000UL)

static bool page_refused; /* the pager says no, but not before that */
static uint32_t pages_asked;

static void say_no(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    (void)badge;
    /* relaxed: only looked at */
    __atomic_add_fetch(&pages_asked, 1, __ATOMIC_RELAXED);
    while (!__atomic_load_n(&page_refused, __ATOMIC_RELAXED)) { /* relaxed: only looked at */
        (void)thread_sleep(test_deadline_ms(1));
    }
    service_reply(message, ERR_NOT_FOUND, 0);
}

static int touch(void *argument)
{
    (void)argument;
    return (int)PAGED[0];
}

/* What the pager says at last concerns nobody: this domain goes on. */
TEST(user_split, a_killed_thread_ends_while_its_pager_thinks)
{
    struct message message = {.tag = MESSAGE_TAG(1, 0)};
    struct thread thread;
    handle_t port;

    ASSERT_EQUAL(service_create(say_no, NULL, &port), OK);
    ASSERT_EQUAL(domain_set_pager(program_own_domain(), port), OK);
    ASSERT_EQUAL(thread_start(&thread, touch, NULL), OK);
    while (__atomic_load_n(&pages_asked, __ATOMIC_RELAXED) == 0) { /* relaxed: only looked at */
        thread_yield();
    }
    EXPECT_EQUAL(thread_kill(thread.handle), OK);
    EXPECT_EQUAL(thread_join(&thread), EXIT_KILLED);
    EXPECT(peer_is_busy(port));
    __atomic_store_n(&page_refused, true, __ATOMIC_RELAXED); /* relaxed: as above */
    EXPECT_EQUAL(port_call(port, &message), OK);
    EXPECT_EQUAL(domain_set_pager(program_own_domain(), HANDLE_NONE), OK);
    EXPECT_EQUAL(port_close(port), OK);
}

/* As the kernel left it: nothing of the service in it. */
TEST(user_split, a_service_that_was_left_leaves_no_registers)
{
    struct message message = {.tag = MESSAGE_TAG(PEER_SPIN, 4),
                              .word = {test_deadline_ms(LONG_MS), 6, 7, 8}};
    static uint64_t after[PROBE_REGISTERS];
    struct peer peer;

    ASSERT_EQUAL(peer_start(&peer, SERVER, NULL), OK);
    probe_call_until(peer.port, &message, after, test_deadline_ms(SHORT_MS));
    EXPECT_EQUAL(after[10], ERR_TIMED_OUT);
    for (unsigned i = 1; i < PROBE_REGISTERS; i++) {
        bool stack_or_block = i == 2 || i == 4; /* sp, tp: the caller's own */

        EXPECT(i == 10 || stack_or_block || after[i] == 0 || after[i] == PROBE_CALLER_PATTERN + i);
    }
    peer_stop(&peer);
}

/* Deadlines about as long as the runs: each call has one outcome, and each run ends. */
TEST(user_split, a_race_of_result_and_deadline_has_one_winner)
{
    struct peer peer;
    uint64_t begun = 0;
    uint64_t count = 0;
    uint64_t in_time = 0;

    ASSERT_EQUAL(peer_start(&peer, SERVER, NULL), OK);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t until = clock_ns() + SLICE_NS + i % 7 * 1000;
        struct message message = {.tag = MESSAGE_TAG(i % 2 == 0 ? PEER_NAP : PEER_SPIN, 1),
                                  .word = {until}};
        status_t status = port_call_until(peer.port, &message, until + i % 11 * 2000);

        in_time += status == OK;
        EXPECT(status == OK ? message.word[0] > begun : status == ERR_TIMED_OUT);
        begun = status == OK ? message.word[0] : begun;
    }
    EXPECT_EQUAL(peer_ask(peer.port, PEER_COUNT, &count), OK);
    EXPECT(count >= in_time && count <= ROUNDS);
    peer_stop(&peer);
}
