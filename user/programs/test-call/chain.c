/* SPDX-License-Identifier: MIT */
/* Calls from inside services: nesting, its limit, and rings. */
#include <stddef.h>

#include "user/lib/baton.h"
#include "user/programs/test-call/peer.h"

#define CHAIN 20 /* more services than MAX_CALL_DEPTH */

TEST(user_call, nested_calls_unwind_in_order)
{
    struct peer a;
    struct peer b;
    struct peer c;

    ASSERT_EQUAL(peer_start(&c, "test-call.c", NULL), OK);
    ASSERT_EQUAL(peer_start(&b, "test-call.b", "test-call.c"), OK);
    ASSERT_EQUAL(peer_start(&a, "test-call.a", "test-call.b"), OK);
    for (uint64_t i = 0; i < 100; i++) {
        uint64_t word = i * 10;

        ASSERT_EQUAL(peer_ask(a.port, PEER_FORWARD, &word), OK);
        ASSERT_EQUAL(word, i * 10 + 3); /* each adds one */
    }
    peer_stop(&a);
    peer_stop(&b);
    peer_stop(&c);
}

struct link {
    handle_t next;
    status_t status; /* what its own call gave */
};

static void call_next(void *context, uint64_t badge, struct message *message)
{
    struct link *link = context;
    uint64_t depth = message->word[0];

    (void)badge;
    if (link->next == HANDLE_NONE) {
        service_reply(message, OK, 1);
        return;
    }
    message->word[0] = depth + 1;
    message->tag = MESSAGE_TAG(1, 1);
    link->status = port_call(link->next, message);
    if (link->status != OK) {
        message->word[0] = depth + 1;
        service_reply(message, OK, 1);
    }
}

static struct link links[CHAIN];
static handle_t ports[CHAIN];

/* A chain of `count` services of this domain, the last of which calls nobody. */
static status_t chain_make(unsigned count)
{
    for (unsigned i = count; i-- > 0;) {
        links[i] = (struct link){.next = i + 1 < count ? ports[i + 1] : HANDLE_NONE};
        status_t status = service_create(call_next, &links[i], &ports[i]);

        if (status != OK) {
            return status;
        }
    }
    return OK;
}

static void chain_close(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        EXPECT_EQUAL(port_close(ports[i]), OK);
    }
}

TEST(user_call, calls_nest_up_to_the_limit)
{
    uint64_t word = 0;

    ASSERT_EQUAL(chain_make(MAX_CALL_DEPTH), OK);
    EXPECT_EQUAL(peer_ask(ports[0], 1, &word), OK);
    EXPECT_EQUAL(word, MAX_CALL_DEPTH - 1);
    EXPECT_EQUAL(links[MAX_CALL_DEPTH - 2].status, OK);
    chain_close(MAX_CALL_DEPTH);
}

TEST(user_call, deeper_calls_are_refused)
{
    uint64_t word = 0;

    ASSERT_EQUAL(chain_make(CHAIN), OK);
    EXPECT_EQUAL(peer_ask(ports[0], 1, &word), OK);
    EXPECT_EQUAL(word, MAX_CALL_DEPTH);
    EXPECT_EQUAL(links[MAX_CALL_DEPTH - 1].status, ERR_DEPTH);
    EXPECT_EQUAL(links[0].status, OK);
    chain_close(CHAIN);
}

TEST(user_call, a_service_that_calls_itself_is_refused)
{
    uint64_t word = 0;

    ASSERT_EQUAL(chain_make(1), OK);
    links[0].next = ports[0];
    EXPECT_EQUAL(peer_ask(ports[0], 1, &word), OK);
    EXPECT_EQUAL(links[0].status, ERR_DEADLOCK);
    chain_close(1);
}

TEST(user_call, a_ring_of_calls_is_refused)
{
    uint64_t word = 0;

    ASSERT_EQUAL(chain_make(3), OK);
    links[2].next = ports[0];
    EXPECT_EQUAL(peer_ask(ports[0], 1, &word), OK);
    EXPECT_EQUAL(links[2].status, ERR_DEADLOCK);
    EXPECT_EQUAL(links[1].status, OK);
    EXPECT_EQUAL(links[0].status, OK);
    chain_close(3);
}

TEST(user_call, a_thread_that_moves_inside_a_service_comes_back_on_its_new_core)
{
    struct peer inner;
    struct peer outer;
    uint64_t cores = 0;

    while (thread_migrate(cores) == OK) {
        cores++;
    }
    ASSERT_EQUAL(peer_start(&inner, "test-call.inner", NULL), OK);
    ASSERT_EQUAL(peer_start(&outer, "test-call.outer", NULL), OK);
    for (uint64_t i = 0; i < 4 * cores; i++) {
        uint64_t word = i % cores;

        ASSERT_EQUAL(peer_ask(inner.port, PEER_MIGRATE, &word), OK);
        EXPECT_EQUAL(word, i % cores);
        EXPECT_EQUAL((uint64_t)thread_core(), i % cores);
        word = i;
        EXPECT_EQUAL(peer_ask(outer.port, PEER_FORWARD, &word), OK);
        EXPECT_EQUAL(word, i + 1);
    }
    peer_stop(&outer);
    peer_stop(&inner);
}
