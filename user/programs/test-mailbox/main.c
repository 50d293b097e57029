/* SPDX-License-Identifier: MIT */
/* Calls of mailboxes by user code: threads of this program, on one core and on several. */
#include "user/lib/fpu_probe.h"
#include "user/lib/test.h"

#define CALLS 3000
#define RACES 10000
#define REPLY 77

static handle_t mailbox(void)
{
    return (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
}

struct server {
    handle_t port;
    uint64_t core; /* or ANY */
    struct thread thread;
    uint64_t served;
};

#define ANY (~0UL)

static int serve(void *argument)
{
    struct server *server = argument;
    struct delivery call = {.token = 0};
    status_t status;

    if (server->core != ANY) {
        EXPECT_EQUAL(thread_migrate(server->core), OK);
    }
    for (;;) {
        status = mailbox_reply_receive(server->port, &call, DEADLINE_NONE);
        if (status != OK) {
            return (int)-status;
        }
        server->served++;
        call.message.word[0] += call.message.word[1] + call.badge;
        call.message.tag = MESSAGE_TAG(REPLY, 4);
    }
}

static void start(struct server *server, handle_t port, uint64_t core)
{
    *server = (struct server){.port = port, .core = core};
    EXPECT_EQUAL(thread_start(&server->thread, serve, server), OK);
}

static void check_reply(const struct message *message, uint64_t number)
{
    EXPECT_EQUAL(message->tag, MESSAGE_TAG(REPLY, 4));
    EXPECT_EQUAL(message->word[0], number * 3);
    EXPECT_EQUAL(message->word[1], number * 2);
    EXPECT_EQUAL(message->word[2], ~number);
    EXPECT_EQUAL(message->word[3], number + 5);
}

static status_t call(handle_t port, uint64_t number, uint64_t deadline)
{
    struct message message = {.tag = MESSAGE_TAG(1, 4),
                              .word = {number, number * 2, ~number, number + 5}};
    status_t status = port_call_until(port, &message, deadline);

    if (status == OK) {
        check_reply(&message, number);
    }
    return status;
}

static void call_often(handle_t port, unsigned calls)
{
    for (uint64_t i = 0; i < calls; i++) {
        ASSERT_EQUAL(call(port, i, DEADLINE_NONE), OK);
    }
}

/* The last core, or this one if there is no other. */
static uint64_t other_core(void)
{
    uint64_t core = 0;

    while (thread_migrate(core + 1) == OK) {
        core++;
    }
    thread_migrate(0);
    return core;
}

static void stop(struct server *server)
{
    EXPECT_EQUAL(port_close(server->port), OK);
    EXPECT_EQUAL(thread_join(&server->thread), -ERR_STALE);
}

TEST(user_mailbox, a_server_on_the_same_core_answers_every_call)
{
    struct server server;

    thread_migrate(0);
    start(&server, mailbox(), 0);
    call_often(server.port, CALLS);
    stop(&server);
    EXPECT_EQUAL(server.served, CALLS);
}

TEST(user_mailbox, a_server_sees_the_badge_of_the_callers_handle)
{
    struct server server;

    thread_migrate(0);
    start(&server, mailbox(), 0);
    handle_t badged = (handle_t)handle_duplicate(server.port, RIGHT_CALL, 4711);

    for (unsigned i = 0; i < 20; i++) {
        struct message message = {.tag = MESSAGE_TAG(1, 4), .word = {i, i}};

        ASSERT_EQUAL(port_call(badged, &message), OK);
        EXPECT_EQUAL(message.word[0], 2 * i + 4711);
    }
    EXPECT_EQUAL(handle_close(badged), OK);
    stop(&server);
}

TEST(user_mailbox, a_server_on_another_core_answers_every_call)
{
    struct server server;

    start(&server, mailbox(), other_core());
    call_often(server.port, CALLS);
    stop(&server);
    EXPECT_EQUAL(server.served, CALLS);
}

TEST(user_mailbox, a_server_that_outranks_its_callers_answers_them)
{
    struct server server;

    thread_migrate(0);
    start(&server, mailbox(), 0);
    EXPECT_EQUAL(thread_set_priority(server.thread.handle, 9), OK);
    call_often(server.port, CALLS);
    EXPECT_EQUAL(thread_set_priority(server.thread.handle, PRIORITY_SHARING), OK);
    call_often(server.port, 10);
    stop(&server);
}

/* Deadlines keep both off the short way. */
TEST(user_mailbox, calls_with_and_without_a_deadline_mix)
{
    struct server server;

    thread_migrate(0);
    start(&server, mailbox(), 0);
    for (uint64_t i = 0; i < CALLS; i++) {
        ASSERT_EQUAL(call(server.port, i, i % 3 == 0 ? test_deadline_ms(10000) : DEADLINE_NONE),
                     OK);
    }
    stop(&server);
}

TEST(user_mailbox, a_call_that_must_not_wait_is_refused)
{
    handle_t port = mailbox();

    EXPECT_EQUAL(call(port, 1, DEADLINE_NOW), ERR_WOULD_BLOCK);
    EXPECT_EQUAL(call(port, 1, test_deadline_ms(2)), ERR_TIMED_OUT);
    EXPECT_EQUAL(port_close(port), OK);
}

struct client {
    handle_t port;
    unsigned calls;
    uint64_t core;
    struct thread thread;
};

static int call_all(void *argument)
{
    const struct client *client = argument;

    thread_migrate(client->core);
    call_often(client->port, client->calls);
    return 0;
}

#define CLIENTS 5
#define SERVERS 3

TEST(user_mailbox, many_clients_and_several_servers_on_all_cores)
{
    struct client clients[CLIENTS];
    struct server servers[SERVERS];
    handle_t port = mailbox();
    uint64_t last = other_core();
    uint64_t served = 0;

    for (unsigned i = 0; i < SERVERS; i++) {
        start(&servers[i], port, i % (last + 1));
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.port = port, .calls = CALLS / 3, .core = i % (last + 1)};
        ASSERT_EQUAL(thread_start(&clients[i].thread, call_all, &clients[i]), OK);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        EXPECT_EQUAL(thread_join(&clients[i].thread), 0);
    }
    EXPECT_EQUAL(port_close(port), OK);
    for (unsigned i = 0; i < SERVERS; i++) {
        EXPECT_EQUAL(thread_join(&servers[i].thread), -ERR_STALE);
        served += servers[i].served;
    }
    EXPECT_EQUAL(served, CLIENTS * (CALLS / 3));
}

/* A client that calls without end, and is killed now and then. */
static int call_for_ever(void *argument)
{
    const struct client *client = argument;

    thread_migrate(client->core);
    while (call(client->port, 3, DEADLINE_NONE) == OK) {
    }
    return 0;
}

TEST(user_mailbox, a_killed_caller_leaves_its_server_alone)
{
    struct server server;
    uint64_t last = other_core();

    start(&server, mailbox(), 0);
    for (unsigned i = 0; i < 60; i++) {
        struct client client = {.port = server.port, .core = i % 2 == 0 ? 0 : last};

        ASSERT_EQUAL(thread_start(&client.thread, call_for_ever, &client), OK);
        thread_sleep(clock_ns() + 100000 + i * 7919);
        EXPECT_EQUAL(thread_kill(client.thread.handle), OK);
        EXPECT_EQUAL(thread_join(&client.thread), EXIT_KILLED);
    }
    call_often(server.port, 100);
    stop(&server);
}

TEST(user_mailbox, a_killed_server_leaves_the_line_to_the_next)
{
    handle_t port = mailbox();
    struct client client = {.port = port, .calls = CALLS};
    struct server server;

    ASSERT_EQUAL(thread_start(&client.thread, call_all, &client), OK);
    /* It is killed while it waits: a call that it has received would stay with this domain. */
    start(&server, mailbox(), 0);
    thread_sleep(clock_ns() + 1000000);
    EXPECT_EQUAL(thread_kill(server.thread.handle), OK);
    EXPECT_EQUAL(thread_join(&server.thread), EXIT_KILLED);
    EXPECT_EQUAL(port_close(server.port), OK);
    start(&server, port, 0);
    EXPECT_EQUAL(thread_join(&client.thread), 0);
    stop(&server);
}

TEST(user_mailbox, any_thread_of_the_domain_may_reply_once)
{
    handle_t port = mailbox();
    struct client client = {.port = port, .calls = 1};
    struct delivery delivery = {.token = 0};
    uint64_t token;

    ASSERT_EQUAL(thread_start(&client.thread, call_all, &client), OK);
    ASSERT_EQUAL(mailbox_receive(port, &delivery, DEADLINE_NONE), OK);
    token = delivery.token;
    EXPECT(token != 0);
    delivery.message = (struct message){.tag = MESSAGE_TAG(REPLY, 4), .word = {0, 0, ~0UL, 5}};
    EXPECT_EQUAL(mailbox_reply(token ^ 1, &delivery.message), ERR_STALE);
    EXPECT_EQUAL(mailbox_reply(token, &delivery.message), OK);
    EXPECT_EQUAL(mailbox_reply(token, &delivery.message), ERR_STALE);
    delivery.token = token;
    EXPECT_EQUAL(mailbox_reply_receive(port, &delivery, DEADLINE_NOW), ERR_WOULD_BLOCK);
    EXPECT_EQUAL(delivery.token, 0);
    EXPECT_EQUAL(mailbox_reply_receive(port, &delivery, DEADLINE_NOW), ERR_WOULD_BLOCK);
    EXPECT_EQUAL(mailbox_reply_receive(port, &delivery, test_deadline_ms(1)), ERR_TIMED_OUT);
    EXPECT_EQUAL(thread_join(&client.thread), 0);
    EXPECT_EQUAL(port_close(port), OK);
    EXPECT_EQUAL(mailbox_reply_receive(port, &delivery, DEADLINE_NONE), ERR_BAD_HANDLE);
}

/* Receives one call and replies after the mailbox was closed. */
TEST(user_mailbox, who_is_served_when_the_mailbox_closes_gets_the_reply)
{
    handle_t port = mailbox();
    struct client client = {.port = port, .calls = 1};
    struct delivery delivery = {.token = 0};

    ASSERT_EQUAL(thread_start(&client.thread, call_all, &client), OK);
    ASSERT_EQUAL(mailbox_receive(port, &delivery, DEADLINE_NONE), OK);
    EXPECT_EQUAL(port_close(port), OK);
    delivery.message = (struct message){.tag = MESSAGE_TAG(REPLY, 4), .word = {0, 0, ~0UL, 5}};
    EXPECT_EQUAL(mailbox_reply(delivery.token, &delivery.message), OK);
    EXPECT_EQUAL(thread_join(&client.thread), 0);
}

TEST(user_mailbox, a_deadline_and_a_reply_never_both_decide)
{
    struct server server;
    uint64_t random = 1;
    uint64_t answered = 0;
    uint64_t late = 0;

    start(&server, mailbox(), other_core());
    for (uint64_t i = 0; i < RACES; i++) {
        random = random * 6364136223846793005UL + 1442695040888963407UL;
        status_t status = call(server.port, i, clock_ns() + (random >> 33) % 30000);

        answered += status == OK;
        late += status == ERR_TIMED_OUT;
    }
    EXPECT_EQUAL(answered + late, RACES);
    stop(&server);
    EXPECT(server.served >= answered && answered > 0);
}

/* Floating-point registers are the thread's own on both sides of the short way. */
static int serve_with_fpu(void *argument)
{
    struct server *server = argument;
    struct delivery call = {.token = 0};
    uint64_t seen = 0;

    thread_migrate(0);
    while (mailbox_reply_receive(server->port, &call, DEADLINE_NONE) == OK) {
        seen |= fpu_probe_or_all();
        server->served++;
        call.message.tag = MESSAGE_TAG(REPLY, 1);
    }
    return seen == 0 ? 0 : 1;
}

/* The registers are saved at the first one; the next ones go the short way. */
static void call_thrice(void *argument)
{
    const struct server *server = argument;

    for (unsigned i = 0; i < 3; i++) {
        struct message message = {.tag = MESSAGE_TAG(1, 1), .word = {i}};

        EXPECT_EQUAL(port_call(server->port, &message), OK);
    }
}

TEST(user_mailbox, floating_point_registers_do_not_travel)
{
    struct server server = {.port = mailbox()};

    thread_migrate(0);
    ASSERT_EQUAL(thread_start(&server.thread, serve_with_fpu, &server), OK);
    for (uint64_t i = 0; i < 200; i++) {
        EXPECT_EQUAL(fpu_probe_hold(i << 32, call_thrice, &server), 0);
    }
    EXPECT_EQUAL(port_close(server.port), OK);
    EXPECT_EQUAL(thread_join(&server.thread), 0);
}
