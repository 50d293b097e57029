/* SPDX-License-Identifier: MIT */
/* Waiting for several ports and signallers at once. */
#include "user/lib/test.h"

static handle_t mailbox(void)
{
    return (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
}

static status_t send(handle_t port)
{
    const struct message message = {.tag = MESSAGE_TAG(1, 0)};

    return port_send(port, &message);
}

static status_t receive(handle_t port)
{
    struct message message;
    uint64_t badge;

    return port_receive(port, &message, &badge, DEADLINE_NOW);
}

TEST(user_wait_any, binding_needs_rights_and_the_right_kinds)
{
    handle_t port = mailbox();
    handle_t notification = (handle_t)notification_create();
    handle_t send_only = (handle_t)handle_duplicate(port, RIGHT_SEND, 0);
    handle_t wait_only = (handle_t)handle_duplicate(notification, RIGHT_RECEIVE, 0);

    EXPECT_EQUAL(port_bind(send_only, notification, 1, PORT_EVENT_MESSAGE), ERR_NO_RIGHT);
    EXPECT_EQUAL(port_bind(port, wait_only, 1, PORT_EVENT_MESSAGE), ERR_NO_RIGHT);
    EXPECT_EQUAL(port_bind(notification, notification, 1, PORT_EVENT_MESSAGE), ERR_WRONG_TYPE);
    EXPECT_EQUAL(port_bind(port, port, 1, PORT_EVENT_MESSAGE), ERR_WRONG_TYPE);
    EXPECT_EQUAL(port_bind(HANDLE_NONE, notification, 1, PORT_EVENT_MESSAGE), ERR_BAD_HANDLE);
    EXPECT_EQUAL(port_bind(port, notification, 1, PORT_EVENTS), ERR_INVALID);
    EXPECT_EQUAL(port_bind(port, notification, 0, PORT_EVENT_MESSAGE), ERR_INVALID);
    EXPECT_EQUAL(port_bind(port, notification, 1, PORT_EVENT_MESSAGE), OK);
    EXPECT_EQUAL(handle_close(notification), OK); /* the port keeps it */
    EXPECT_EQUAL(send(port), OK);
    EXPECT_EQUAL(notification_poll(wait_only, 0), 1);
    EXPECT_EQUAL(port_bind(port, HANDLE_NONE, 0, PORT_EVENT_MESSAGE), OK);
    EXPECT_EQUAL(send(port), OK);
    EXPECT_EQUAL(notification_poll(wait_only, 0), 0);
    EXPECT_EQUAL(port_close(port), OK);
    EXPECT_EQUAL(handle_close(send_only), OK);
    EXPECT_EQUAL(handle_close(wait_only), OK);
}

TEST(user_wait_any, it_says_which_of_64_sources_it_was)
{
    handle_t ports[WAIT_ANY_SOURCES];
    struct wait_any any;
    unsigned source;

    ASSERT_EQUAL(wait_any_init(&any), OK);
    for (unsigned i = 0; i < WAIT_ANY_SOURCES; i++) {
        ports[i] = mailbox();
        EXPECT_EQUAL(wait_any_add_port(&any, ports[i], false, &source), OK);
        EXPECT_EQUAL(source, i);
    }
    EXPECT_EQUAL(wait_any_add(&any, false, &source), ERR_NO_SPACE);
    EXPECT_EQUAL(wait_any_next(&any, DEADLINE_NOW, &source), ERR_WOULD_BLOCK);
    for (unsigned i = 0; i < WAIT_ANY_SOURCES; i++) {
        unsigned which = i * 29 % WAIT_ANY_SOURCES;

        EXPECT_EQUAL(send(ports[which]), OK);
        EXPECT_EQUAL(wait_any_next(&any, DEADLINE_NONE, &source), OK);
        EXPECT_EQUAL(source, which);
        EXPECT_EQUAL(receive(ports[which]), OK);
    }
    EXPECT_EQUAL(wait_any_next(&any, DEADLINE_NOW, &source), ERR_WOULD_BLOCK);
    for (unsigned i = 0; i < WAIT_ANY_SOURCES; i++) {
        EXPECT_EQUAL(port_close(ports[i]), OK);
        EXPECT_EQUAL(wait_any_next(&any, DEADLINE_NONE, &source), OK);
        EXPECT_EQUAL(source, i);
        EXPECT_EQUAL(receive(ports[i]), ERR_BAD_HANDLE);
        wait_any_remove(&any, source);
    }
    wait_any_end(&any);
}

TEST(user_wait_any, an_urgent_source_comes_first_and_the_others_in_turns)
{
    struct wait_any any;
    unsigned source[4];
    unsigned got;

    ASSERT_EQUAL(wait_any_init(&any), OK);
    for (unsigned i = 0; i < 4; i++) {
        EXPECT_EQUAL(wait_any_add(&any, i == 3, &source[i]), OK);
    }
    EXPECT_EQUAL(notification_signal(any.notification, 7), OK);
    EXPECT_EQUAL(wait_any_next(&any, DEADLINE_NONE, &got), OK);
    EXPECT_EQUAL(got, source[0]);
    wait_any_more(&any, got);
    EXPECT_EQUAL(wait_any_next(&any, DEADLINE_NONE, &got), OK);
    EXPECT_EQUAL(got, source[1]);
    EXPECT_EQUAL(notification_signal(any.notification, 1UL << source[3]), OK);
    EXPECT_EQUAL(wait_any_next(&any, DEADLINE_NONE, &got), OK);
    EXPECT_EQUAL(got, source[3]);
    EXPECT_EQUAL(wait_any_next(&any, DEADLINE_NONE, &got), OK);
    EXPECT_EQUAL(got, source[2]);
    EXPECT_EQUAL(wait_any_next(&any, DEADLINE_NONE, &got), OK);
    EXPECT_EQUAL(got, source[0]);
    EXPECT_EQUAL(wait_any_next(&any, DEADLINE_NOW, &got), ERR_WOULD_BLOCK);
    wait_any_end(&any);
}

#define PORTS 3
#define MESSAGES 2000

static int send_all(void *argument)
{
    handle_t port = (handle_t)(uintptr_t)argument;

    for (unsigned i = 0; i < MESSAGES; i++) {
        status_t status;

        while ((status = send(port)) == ERR_WOULD_BLOCK) {
            thread_sleep(clock_ns() + 100000);
        }
        if (status != OK) {
            return 1;
        }
    }
    return 0;
}

TEST(user_wait_any, one_server_of_several_ports_misses_nothing)
{
    handle_t ports[PORTS];
    struct thread threads[PORTS];
    unsigned received[PORTS] = {0};
    struct wait_any any;
    unsigned source;

    ASSERT_EQUAL(wait_any_init(&any), OK);
    for (unsigned i = 0; i < PORTS; i++) {
        ports[i] = mailbox();
        ASSERT_EQUAL(wait_any_add_port(&any, ports[i], i == 0, &source), OK);
        ASSERT_EQUAL(thread_start(&threads[i], send_all, (void *)ports[i]), OK);
    }
    for (unsigned i = 0; i < PORTS * MESSAGES;) {
        ASSERT_EQUAL(wait_any_next(&any, DEADLINE_NONE, &source), OK);
        if (receive(ports[source]) == OK) {
            received[source]++;
            i++;
            wait_any_more(&any, source);
        }
    }
    for (unsigned i = 0; i < PORTS; i++) {
        EXPECT_EQUAL(received[i], MESSAGES);
        EXPECT_EQUAL(thread_join(&threads[i]), 0);
        EXPECT_EQUAL(port_close(ports[i]), OK);
    }
    wait_any_end(&any);
}
