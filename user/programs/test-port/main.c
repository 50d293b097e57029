/* SPDX-License-Identifier: MIT */
/* Ports as objects: creation, closing, rights, names. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "user/lib/test.h"

#define NAME "test-port.name" /* of ports that are closed with it */
#define OTHER_NAME "test-port.other"

static void reply_ok(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    message->word[0] = badge;
    service_reply(message, OK, 1);
}

TEST(user_port, create_and_close_many)
{
    for (int i = 0; i < 500; i++) {
        int64_t port = port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);

        ASSERT(port > 0);
        ASSERT_EQUAL(port_close((handle_t)port), OK);
        ASSERT_EQUAL(port_close((handle_t)port), ERR_BAD_HANDLE);
    }
}

TEST(user_port, close_makes_other_handles_stale)
{
    struct message message = {.tag = 0};
    uint64_t badge;
    handle_t port = (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
    handle_t other = (handle_t)handle_duplicate(port, RIGHTS_PORT, 0);

    ASSERT((int64_t)port > 0 && (int64_t)other > 0);
    EXPECT_EQUAL(port_close(port), OK);
    EXPECT_EQUAL(port_send(other, &message), ERR_STALE);
    EXPECT_EQUAL(port_receive(other, &message, &badge, DEADLINE_NONE), ERR_STALE);
    EXPECT_EQUAL(port_close(other), OK);
    EXPECT_EQUAL(port_close(other), ERR_BAD_HANDLE);
}

TEST(user_port, stale_handle_never_reaches_a_successor)
{
    struct message message = {.tag = 0};

    for (int i = 0; i < 200; i++) {
        handle_t port = (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
        handle_t stale = (handle_t)handle_duplicate(port, RIGHTS_PORT, 0);

        ASSERT_EQUAL(port_close(port), OK);
        handle_t next = (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);

        ASSERT_EQUAL(port_send(stale, &message), ERR_STALE);
        ASSERT_EQUAL(handle_close(stale), OK);
        ASSERT_EQUAL(port_close(next), OK);
    }
}

TEST(user_port, calling_a_closed_service_is_stale)
{
    struct message message = {.tag = 0};
    handle_t port;
    handle_t other;

    ASSERT_EQUAL(service_create(reply_ok, NULL, &port), OK);
    other = (handle_t)handle_duplicate(port, RIGHT_CALL, 0);
    EXPECT_EQUAL(port_request(other, &message), OK);
    EXPECT_EQUAL(port_close(port), OK);
    EXPECT_EQUAL(port_call(other, &message), ERR_STALE);
    EXPECT_EQUAL(handle_close(other), OK);
}

/* A handle with any set of rights can do what the set says and make nothing stronger. */
static void check_rights(handle_t port, rights_t rights)
{
    struct message message = {.tag = 0};
    uint64_t badge;
    handle_t weak = (handle_t)handle_duplicate(port, rights | RIGHT_DUPLICATE, 0);

    ASSERT((int64_t)weak > 0);
    for (rights_t more = 1; more < RIGHT_WAIT; more <<= 1) {
        int64_t copy = handle_duplicate(weak, more, 0);
        bool allowed = ((rights | RIGHT_DUPLICATE) & more) != 0;

        EXPECT_EQUAL(allowed ? copy > 0 : copy, allowed ? 1 : ERR_NO_RIGHT);
        if (copy > 0) {
            EXPECT_EQUAL(handle_close((handle_t)copy), OK);
        }
    }
    bool sends = (rights & RIGHT_SEND) != 0;
    bool receives = (rights & RIGHT_RECEIVE) != 0;

    EXPECT_EQUAL(port_send(weak, &message), sends ? OK : ERR_NO_RIGHT);
    EXPECT_EQUAL(port_receive(weak, &message, &badge, DEADLINE_NOW),
                 !receives ? ERR_NO_RIGHT : (sends ? OK : ERR_WOULD_BLOCK));
    EXPECT_EQUAL(port_receive(port, &message, &badge, DEADLINE_NOW),
                 sends && !receives ? OK : ERR_WOULD_BLOCK);
    if ((rights & RIGHT_MANAGE) == 0) {
        EXPECT_EQUAL(port_close(weak), ERR_NO_RIGHT);
    }
    EXPECT_EQUAL(handle_close(weak), OK);
}

TEST(user_port, duplicate_never_amplifies)
{
    handle_t port = (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);

    ASSERT((int64_t)port > 0);
    for (rights_t rights = 0; rights < RIGHT_WAIT; rights++) {
        check_rights(port, rights);
    }
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_port, service_sees_the_badge_of_the_handle)
{
    handle_t port;

    ASSERT_EQUAL(service_create(reply_ok, NULL, &port), OK);
    for (uint64_t badge = 1; badge < 1UL << 62; badge *= 1000) {
        handle_t client = (handle_t)handle_duplicate(port, RIGHT_CALL | RIGHT_DUPLICATE, badge);
        struct message message = {.tag = 0};

        ASSERT((int64_t)client > 0);
        EXPECT_EQUAL(port_request(client, &message), OK);
        EXPECT_EQUAL(message.word[0], badge);
        EXPECT_EQUAL(handle_duplicate(client, RIGHT_CALL, badge + 1), ERR_NO_RIGHT);
        handle_t same = (handle_t)handle_duplicate(client, RIGHT_CALL, 0);

        message.tag = 0;
        EXPECT_EQUAL(port_request(same, &message), OK);
        EXPECT_EQUAL(message.word[0], badge);
        EXPECT_EQUAL(handle_close(same), OK);
        EXPECT_EQUAL(handle_close(client), OK);
    }
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_port, names_come_and_go)
{
    struct message message = {.tag = 0};
    handle_t port;
    handle_t found;
    handle_t missing;

    ASSERT_EQUAL(service_create(reply_ok, NULL, &port), OK);
    EXPECT_EQUAL(lookup_find(OTHER_NAME, &missing), ERR_NOT_FOUND);
    EXPECT_EQUAL(lookup_unregister(OTHER_NAME), ERR_NOT_FOUND);
    ASSERT_EQUAL(lookup_register(OTHER_NAME, port), OK);
    EXPECT_EQUAL(lookup_register(OTHER_NAME, port), ERR_EXISTS);
    ASSERT_EQUAL(lookup_find(OTHER_NAME, &found), OK);
    EXPECT_EQUAL(port_request(found, &message), OK);
    EXPECT_EQUAL(port_close(found), ERR_NO_RIGHT);
    EXPECT_EQUAL(lookup_unregister(OTHER_NAME), OK);
    EXPECT_EQUAL(lookup_find(OTHER_NAME, &missing), ERR_NOT_FOUND);
    EXPECT_EQUAL(handle_close(found), OK);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_port, name_of_a_closed_port_can_be_taken_again)
{
    handle_t port;
    handle_t found;

    for (int i = 0; i < 5; i++) {
        ASSERT_EQUAL(service_create(reply_ok, NULL, &port), OK);
        ASSERT_EQUAL(lookup_register(NAME, port), OK);
        ASSERT_EQUAL(port_close(port), OK);
        status_t status = lookup_find(NAME, &found);

        EXPECT(status == ERR_STALE || status == ERR_NOT_FOUND);
    }
}

TEST(user_port, foreign_names_are_protected)
{
    handle_t echo;

    EXPECT_EQUAL(lookup_unregister("echo"), ERR_DENIED);
    ASSERT_EQUAL(lookup_find("echo", &echo), OK);
    EXPECT_EQUAL(lookup_register(NAME, echo), ERR_NO_RIGHT);
    EXPECT_EQUAL(handle_close(echo), OK);
}

TEST(user_port, names_are_listed_in_order_page_by_page)
{
    struct lookup_row rows[3];
    char after[MAX_NAME_BYTES + 1] = "";
    uint64_t count = 1;
    bool seen = false;

    while (count > 0) {
        ASSERT_EQUAL(lookup_list(after, rows, 3, &count), OK);
        for (uint64_t i = 0; i < count; i++) {
            char name[MAX_NAME_BYTES + 1] = {0};

            memcpy(name, rows[i].name, MAX_NAME_BYTES);
            EXPECT(strcmp(after, name) < 0);
            strcpy(after, name);
            seen = seen || (strcmp(name, "echo") == 0 && rows[i].domain == 0);
        }
    }
    EXPECT(seen);
}

TEST(user_port, a_program_may_not_give_more_names_than_it_has)
{
    static const char *const argv[] = {"echo-server", "denied.name"};
    struct program program;
    handle_t port;

    ASSERT_EQUAL(program_start_with(argv[0], 2, argv, "other.*", &program), OK);
    EXPECT_EQUAL(program_wait(&program), 1); /* it was denied */
    EXPECT_EQUAL(lookup_find(argv[1], &port), ERR_NOT_FOUND);
    EXPECT_EQUAL(program_start_with(argv[0], 2, argv, "a*b", &program), ERR_INVALID);
    ASSERT_EQUAL(program_start_with(argv[0], 2, argv, "x denied.*", &program), OK);
    EXPECT_EQUAL(lookup_wait(argv[1], &port, clock_ns() + 10000000000), OK);
    EXPECT_EQUAL(program_kill(program.id), OK);
    (void)program_wait(&program);
    EXPECT_EQUAL(handle_close(port), OK);
}

TEST(user_port, a_watch_tells_of_names_that_come_and_go)
{
    handle_t notification = (handle_t)notification_create();
    int64_t port = port_create(PORT_MAILBOX, NULL, NULL, 0, 0);

    ASSERT_EQUAL(lookup_watch("watched.one", notification, 1), OK);
    ASSERT_EQUAL(lookup_watch("watched.*", notification, 2), OK);
    EXPECT_EQUAL(lookup_watch("watched.*", notification, 4), ERR_EXISTS);
    EXPECT_EQUAL(lookup_watch("wat*ched", notification, 4), ERR_INVALID);
    EXPECT_EQUAL(lookup_watch("a b", notification, 4), ERR_INVALID);
    EXPECT_EQUAL(lookup_watch("watched", notification, 0), ERR_INVALID);
    EXPECT_EQUAL(lookup_watch("watched", (handle_t)port, 1), ERR_WRONG_TYPE);
    EXPECT_EQUAL(notification_poll(notification, 0), 0);
    ASSERT_EQUAL(lookup_register("watched.one", (handle_t)port), OK);
    EXPECT_EQUAL(notification_poll(notification, 0), 3);
    ASSERT_EQUAL(lookup_register("watched.two", (handle_t)port), OK);
    EXPECT_EQUAL(notification_poll(notification, 0), 2);
    ASSERT_EQUAL(lookup_register("unwatched", (handle_t)port), OK);
    EXPECT_EQUAL(notification_poll(notification, 0), 0);
    EXPECT_EQUAL(lookup_unregister("watched.two"), OK);
    EXPECT_EQUAL(notification_poll(notification, 0), 2);
    EXPECT_EQUAL(lookup_unwatch("watched.*", notification), OK);
    EXPECT_EQUAL(lookup_unwatch("watched.*", notification), ERR_NOT_FOUND);
    EXPECT_EQUAL(port_close((handle_t)port), OK); /* which takes the name along */
    EXPECT_EQUAL(notification_poll(notification, 0), 1);
    EXPECT_EQUAL(port_close(notification), OK);
}

TEST(user_port, watches_are_bounded_and_end_with_their_notification)
{
    char pattern[16];

    for (unsigned round = 0; round < 3; round++) {
        handle_t notification = (handle_t)notification_create();

        for (unsigned i = 0; i < MAX_DOMAIN_WATCHES; i++) {
            (void)snprintf(pattern, sizeof(pattern), "watched.%u", i);
            EXPECT_EQUAL(lookup_watch(pattern, notification, 1), OK);
        }
        EXPECT_EQUAL(lookup_watch("watched", notification, 1), ERR_NO_SPACE);
        EXPECT_EQUAL(port_close(notification), OK);
    }
}
