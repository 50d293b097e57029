/* SPDX-License-Identifier: MIT */
/* Mailboxes of another domain (program mailbox-server): its end, foreign tokens, registers. */
#include <stdio.h>

#include "user/lib/test.h"
#include "user/programs/mailbox-server/protocol.h"

struct far {
    struct program program;
    handle_t port;
};

static status_t far_start(struct far *far, const char *name)
{
    const char *argv[] = {"mailbox-server", name};

    return test_peer(name, 2, argv, &far->program, &far->port);
}

static void far_stop(struct far *far)
{
    EXPECT_EQUAL(program_kill(far->program.id), OK);
    EXPECT_EQUAL(program_wait(&far->program), EXIT_KILLED);
    EXPECT_EQUAL(handle_close(far->port), OK);
}

static status_t ask(handle_t port, uint32_t label, uint64_t *word)
{
    struct message message = {.tag = MESSAGE_TAG(label, 1), .word = {*word}};
    status_t status = port_request(port, &message);

    *word = message.word[0];
    return status;
}

struct asker {
    handle_t port;
    uint32_t label;
    uint64_t word;
    struct thread thread;
};

static int ask_once(void *argument)
{
    struct asker *asker = argument;

    return (int)-ask(asker->port, asker->label, &asker->word);
}

static void ask_apart(struct asker *asker, handle_t port, uint32_t label)
{
    *asker = (struct asker){.port = port, .label = label};
    EXPECT_EQUAL(thread_start(&asker->thread, ask_once, asker), OK);
}

TEST(user_mailbox, a_server_in_another_domain_answers_and_sees_the_badge)
{
    struct far far;
    uint64_t word = 5;

    ASSERT_EQUAL(far_start(&far, "far.badge"), OK);
    handle_t badged = (handle_t)handle_duplicate(far.port, RIGHT_CALL, 99);

    for (unsigned i = 0; i < 3000; i++) {
        struct message message = {.tag = MESSAGE_TAG(MAILBOX_ECHO, 4), .word = {i, 2, 3, 4}};

        ASSERT_EQUAL(port_request(far.port, &message), OK);
        ASSERT_EQUAL(message.word[0], i);
        ASSERT_EQUAL(message.word[3], 4);
    }
    if ((int64_t)badged > 0) {
        EXPECT_EQUAL(ask(badged, MAILBOX_BADGE, &word), OK);
        EXPECT_EQUAL(word, 99);
        handle_close(badged);
    }
    far_stop(&far);
}

TEST(user_mailbox, the_end_of_the_servers_domain_ends_its_calls)
{
    struct far far;
    uint64_t word = 0;
    struct asker kept;

    ASSERT_EQUAL(far_start(&far, "far.dies"), OK);
    ask_apart(&kept, far.port, MAILBOX_KEEP);
    thread_sleep(clock_ns() + 3000000);
    EXPECT_EQUAL(ask(far.port, MAILBOX_EXIT, &word), ERR_PEER_DIED);
    EXPECT_EQUAL(thread_join(&kept.thread), -ERR_PEER_DIED);
    EXPECT_EQUAL(ask(far.port, MAILBOX_ECHO, &word), ERR_PEER_DIED);
    EXPECT_EQUAL(program_wait(&far.program), 7);
    handle_close(far.port);
}

TEST(user_mailbox, a_killed_domain_lets_everybody_go)
{
    for (unsigned i = 0; i < 20; i++) {
        struct asker askers[4];
        char name[24];
        struct far far;

        (void)snprintf(name, sizeof(name), "far.kill%u", i);
        ASSERT_EQUAL(far_start(&far, name), OK);
        for (unsigned n = 0; n < 4; n++) {
            ask_apart(&askers[n], far.port, n == 3 ? MAILBOX_ECHO : MAILBOX_KEEP);
        }
        thread_sleep(clock_ns() + i * 40000);
        EXPECT_EQUAL(program_kill(far.program.id), OK);
        for (unsigned n = 0; n < 4; n++) {
            int64_t code = thread_join(&askers[n].thread);

            EXPECT(code == -ERR_PEER_DIED || (n == 3 && code == 0));
        }
        EXPECT_EQUAL(program_wait(&far.program), EXIT_KILLED);
        handle_close(far.port);
    }
}

TEST(user_mailbox, a_reply_comes_when_the_server_wants_and_only_once)
{
    struct far far;
    uint64_t word = 0;
    struct asker kept;

    ASSERT_EQUAL(far_start(&far, "far.keeps"), OK);
    ask_apart(&kept, far.port, MAILBOX_KEEP);
    while (ask(far.port, MAILBOX_LET_GO, &word) == ERR_STALE) { /* it has not called yet */
        thread_yield();
    }
    EXPECT_EQUAL(thread_join(&kept.thread), 0);
    EXPECT_EQUAL(ask(far.port, MAILBOX_LET_GO, &word), ERR_STALE);
    far_stop(&far);
}

/* The far server is told the token of a call that this program has received. */
TEST(user_mailbox, a_token_of_another_domain_is_denied)
{
    handle_t port = (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
    struct delivery delivery = {.token = 0};
    struct asker asker;
    struct far far;

    ASSERT_EQUAL(far_start(&far, "far.foreign"), OK);
    ask_apart(&asker, port, MAILBOX_ECHO);
    ASSERT_EQUAL(mailbox_receive(port, &delivery, DEADLINE_NONE), OK);
    uint64_t token = delivery.token;

    EXPECT_EQUAL(ask(far.port, MAILBOX_REPLY, &token), ERR_DENIED);
    delivery.message.tag = MESSAGE_TAG(OK, 1);
    EXPECT_EQUAL(mailbox_reply(delivery.token, &delivery.message), OK);
    EXPECT_EQUAL(thread_join(&asker.thread), 0);
    token = delivery.token;
    EXPECT_EQUAL(ask(far.port, MAILBOX_REPLY, &token), ERR_STALE);
    EXPECT_EQUAL(port_close(port), OK);
    far_stop(&far);
}

TEST(user_mailbox, close_answers_who_is_served_and_refuses_the_others)
{
    struct far far;
    uint64_t word = 0;

    ASSERT_EQUAL(far_start(&far, "far.closes"), OK);
    EXPECT_EQUAL(ask(far.port, MAILBOX_CLOSE, &word), OK);
    EXPECT_EQUAL(ask(far.port, MAILBOX_ECHO, &word), ERR_STALE);
    EXPECT_EQUAL(program_wait(&far.program), 0);
    handle_close(far.port);
}
