/* SPDX-License-Identifier: MIT */
/* Leaves, as the kernel calls them; user programs call the leaf `echo`. */
#include <string.h>

#include "ipc/call.h"
#include "kernel/base/assert.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

#define CALLERS 4
#define CALLS 20000

static struct {
    struct port *port;
    struct activation *activation;
    struct thread *holder;
    uint64_t badge;
    uint64_t runs; /* without an atomic: only the baton's holder counts */
    bool closes;
} seen;

static void run(struct message *message, uint64_t badge)
{
    seen.activation = activation_current();
    seen.holder = seen.port->holder;
    seen.badge = badge;
    seen.runs++;
    message->word[0]++;
    if (seen.closes) {
        port_close(seen.port, ERR_STALE);
    }
}

static struct port *make_leaf(void)
{
    static const struct service_leaf leaf = {.run = run};
    const struct port_attributes attributes = {
        .mode = PORT_MODE_KERNEL_SERVICE, .combines = true, .leaf = &leaf};

    memset(&seen, 0, sizeof(seen));
    BUG_ON(port_create(&kernel_domain, &attributes, &seen.port) != OK);
    return seen.port;
}

TEST(leaf, a_run_is_counted_and_has_a_holder_but_no_activation)
{
    struct port *port = make_leaf();
    struct activation *activation = activation_current();
    struct message message = {.tag = MESSAGE_TAG(1, 1), .word = {41}};

    EXPECT_OK(call_port(port, 7, &message, DEADLINE_NONE));
    EXPECT_EQ(message.word[0], 42);
    EXPECT_EQ(seen.badge, 7);
    EXPECT_TRUE(seen.activation == activation);
    EXPECT_TRUE(activation_current() == activation);
    EXPECT_TRUE(seen.holder == thread_current());
    EXPECT_TRUE(port->holder == NULL);
    EXPECT_EQ(port->calls, 1);
    EXPECT_EQ(port->word, 0);
    ports_close(port);
}

TEST(leaf, a_bad_tag_is_refused_before_it_runs)
{
    struct port *port = make_leaf();
    struct message message = {.tag = MESSAGE_TAG(1, MESSAGE_REGISTER_WORDS + 1)};

    EXPECT_EQ(call_port(port, 0, &message, DEADLINE_NONE), ERR_INVALID);
    EXPECT_EQ(seen.runs, 0);
    EXPECT_EQ(port->calls, 0);
    ports_close(port);
}

/* The run ends normally; the port is free when it has, which the harness looks at. */
TEST(leaf, one_that_is_closed_in_its_run_answers_and_is_stale_afterwards)
{
    struct port *port = make_leaf();
    struct message message = {.tag = MESSAGE_TAG(1, 1), .word = {1}};

    seen.closes = true;
    EXPECT_OK(call_port(port, 0, &message, DEADLINE_NONE));
    EXPECT_EQ(message.word[0], 2);
    EXPECT_EQ(call_port(port, 0, &message, DEADLINE_NONE), ERR_STALE);
    EXPECT_EQ(seen.runs, 1);
    object_release(&port->object);
}

static void call_often(void *argument)
{
    const struct crew_member *member = argument;
    struct message message = {.tag = MESSAGE_TAG(1, 1)};

    for (uint64_t i = 0; i < CALLS; i++) {
        message.word[0] = i;
        if (call_port(member->shared, member->index, &message, DEADLINE_NONE) != OK ||
            message.word[0] != i + 1) {
            return; /* the count will be wrong */
        }
    }
}

TEST(leaf, callers_on_all_cores_take_turns)
{
    struct port *port = make_leaf();

    crew_run(CALLERS, call_often, port);
    EXPECT_EQ(seen.runs, CALLERS * CALLS);
    EXPECT_EQ(port->calls, CALLERS * CALLS);
    EXPECT_EQ(port->word, 0);
    ports_close(port);
}
