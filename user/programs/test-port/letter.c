/* SPDX-License-Identifier: MIT */
/* Messages that nobody waits for: to services, with results, with limits. */
#include "user/lib/test.h"

#define LETTERS 1000U

struct counter {
    uint64_t count;
    uint64_t last;
    uint64_t pause_ns;
};

/* Counts, and answers with the word plus one. */
static void count(void *context, uint64_t badge, struct message *message)
{
    struct counter *counter = context;

    EXPECT_EQUAL(badge, 0);
    if (counter->pause_ns != 0) {
        thread_sleep(clock_ns() + counter->pause_ns);
    }
    counter->last = message->word[0];
    message->word[0]++;
    /* release: `last` first; pairs with the acquire in counted */
    __atomic_add_fetch(&counter->count, 1, __ATOMIC_RELEASE);
    service_reply(message, OK, 1);
}

static bool counted(const struct counter *counter, uint64_t wanted)
{
    uint64_t end = test_deadline_ms(10000);

    /* acquire: what it saw last; pairs with the release in count */
    while (__atomic_load_n(&counter->count, __ATOMIC_ACQUIRE) < wanted && clock_ns() < end) {
        thread_yield();
    }
    return counter->count == wanted;
}

static struct message numbered(uint64_t number)
{
    return (struct message){.tag = MESSAGE_TAG(3, 1), .word = {number}};
}

TEST(user_letter, a_service_runs_for_each_message_in_order)
{
    struct counter counter = {0};
    handle_t port;

    ASSERT_EQUAL(service_create(count, &counter, &port), OK);
    for (uint64_t i = 1; i <= LETTERS; i++) {
        struct message message = numbered(i);

        EXPECT_EQUAL(port_send_until(port, &message, test_deadline_ms(10000)), OK);
    }
    EXPECT(counted(&counter, LETTERS));
    EXPECT_EQUAL(counter.last, LETTERS);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_letter, results_are_collected_in_any_order_once)
{
    static uint64_t id[LETTERS];
    struct counter counter = {0};
    struct message reply = {0};
    handle_t port;

    ASSERT_EQUAL(service_create(count, &counter, &port), OK);
    for (uint64_t i = 0; i < LETTERS; i++) {
        struct message message = numbered(i);

        EXPECT_EQUAL(port_send_for_result(port, &message, test_deadline_ms(10000), &id[i]), OK);
    }
    for (uint64_t i = 0; i < LETTERS; i++) {
        uint64_t at = i * 7 % LETTERS;

        EXPECT_EQUAL(message_result(id[at], &reply, test_deadline_ms(10000)), OK);
        EXPECT_EQUAL(reply.word[0], at + 1);
        EXPECT_EQUAL(message_result(id[at], &reply, DEADLINE_NOW), ERR_STALE);
    }
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_letter, a_result_is_polled_and_waited_for)
{
    struct counter counter = {.pause_ns = 20000000};
    struct message message = numbered(1);
    struct message reply = {0};
    handle_t port;
    uint64_t id = 0;

    ASSERT_EQUAL(service_create(count, &counter, &port), OK);
    EXPECT_EQUAL(port_send_for_result(port, &message, DEADLINE_NOW, &id), OK);
    EXPECT_EQUAL(message_result(id, &reply, DEADLINE_NOW), ERR_WOULD_BLOCK);
    EXPECT_EQUAL(message_result(id, &reply, test_deadline_ms(1)), ERR_TIMED_OUT);
    EXPECT_EQUAL(message_result(id, &reply, DEADLINE_NONE), OK);
    EXPECT_EQUAL(reply.word[0], 2);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_letter, a_port_that_closes_says_so_to_who_wants_a_result)
{
    handle_t port = (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
    struct message message = numbered(1);
    struct message reply = {0};
    uint64_t id = 0;

    EXPECT_EQUAL(port_send_for_result(port, &message, DEADLINE_NOW, &id), OK);
    EXPECT_EQUAL(message_result(id, &reply, DEADLINE_NOW), ERR_WOULD_BLOCK);
    EXPECT_EQUAL(port_close(port), OK);
    EXPECT_EQUAL(message_result(id, &reply, DEADLINE_NONE), ERR_STALE);
    EXPECT_EQUAL(message_result(id, &reply, DEADLINE_NONE), ERR_STALE);
}

/* Receives one letter and replies to it; what the second reply comes to. */
static status_t answer_from(handle_t mailbox, bool in_one_step)
{
    struct delivery delivery = {.token = 0};
    status_t status = mailbox_receive(mailbox, &delivery, DEADLINE_NOW);
    uint64_t token = delivery.token;

    if (status != OK || token == 0) {
        return status;
    }
    delivery.message = numbered(delivery.message.word[0] + 1);
    if (in_one_step) {
        EXPECT_EQUAL(mailbox_reply_receive(mailbox, &delivery, DEADLINE_NOW), ERR_WOULD_BLOCK);
    } else {
        EXPECT_EQUAL(mailbox_reply(token, &delivery.message), OK);
    }
    return mailbox_reply(token, &delivery.message);
}

TEST(user_letter, who_receives_one_from_a_mailbox_gives_its_result)
{
    handle_t mailbox = (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
    struct delivery delivery = {.token = 0};
    struct message reply = {0};
    uint64_t id = 0;

    for (uint64_t i = 0; i < 2; i++) {
        struct message message = numbered(i);

        ASSERT_EQUAL(port_send_for_result(mailbox, &message, DEADLINE_NOW, &id), OK);
        EXPECT_EQUAL(answer_from(mailbox, i == 1), ERR_STALE);
        EXPECT_EQUAL(message_result(id, &reply, DEADLINE_NOW), OK);
        EXPECT_EQUAL(reply.word[0], i + 1);
        EXPECT_EQUAL(message_result(id, &reply, DEADLINE_NOW), ERR_STALE);
        /* Nobody wants to know. */
        EXPECT_EQUAL(port_send(mailbox, &message), OK);
        EXPECT_EQUAL(mailbox_receive(mailbox, &delivery, DEADLINE_NOW), OK);
        EXPECT_EQUAL(delivery.token, 0);
    }
    EXPECT_EQUAL(port_close(mailbox), OK);
}

TEST(user_letter, ids_that_were_never_given_are_refused)
{
    static const uint64_t ids[] = {0, 1, ~0UL, 1UL << 62, 1UL << 63, 12345};
    struct message reply = {0};

    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        EXPECT_EQUAL(message_result(ids[i], &reply, DEADLINE_NONE), ERR_STALE);
    }
}

TEST(user_letter, results_that_nobody_collects_are_bounded)
{
    static uint64_t id[MAX_RESULTS];
    handle_t port = (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
    struct message message = numbered(1);
    struct message reply = {0};
    uint64_t one_more;

    ASSERT_EQUAL(port_configure(port, MAX_PORT_CAPACITY, 1, 2, PRIORITY_SHARING), OK);
    for (unsigned i = 0; i < MAX_RESULTS; i++) {
        ASSERT_EQUAL(port_send_for_result(port, &message, DEADLINE_NOW, &id[i]), OK);
    }
    EXPECT_EQUAL(port_send_for_result(port, &message, DEADLINE_NOW, &one_more), ERR_NO_SPACE);
    EXPECT_EQUAL(port_close(port), OK);
    for (unsigned i = 0; i < MAX_RESULTS; i++) {
        EXPECT_EQUAL(message_result(id[i], &reply, DEADLINE_NOW), ERR_STALE);
    }
}

TEST(user_letter, limits_are_checked)
{
    static const uint64_t wrong[][4] = {
        {0, 0, 0, PRIORITY_SHARING},         {MAX_PORT_CAPACITY + 1, 1, 2, PRIORITY_SHARING},
        {10, 1, 11, PRIORITY_SHARING},       {10, 5, 5, PRIORITY_SHARING},
        {10, 6, 5, PRIORITY_SHARING},        {~0UL, 1, 2, PRIORITY_SHARING},
        {1UL << 32, 1, 2, PRIORITY_SHARING}, {10, 1, 5, PRIORITY_SHARING + 1},
        {10, 1UL << 32, (1UL << 32) + 1, 0},
    };
    handle_t port = (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
    handle_t weak = (handle_t)handle_duplicate(port, RIGHT_SEND | RIGHT_CALL, 0);
    handle_t notification = (handle_t)notification_create();

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        EXPECT_EQUAL(port_configure(port, wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3]),
                     ERR_INVALID);
    }
    EXPECT_EQUAL(port_configure(weak, 10, 1, 5, PRIORITY_SHARING), ERR_NO_RIGHT);
    EXPECT_EQUAL(port_configure(HANDLE_NONE, 10, 1, 5, PRIORITY_SHARING), ERR_BAD_HANDLE);
    EXPECT_EQUAL(port_configure(notification, 10, 1, 5, PRIORITY_SHARING), ERR_WRONG_TYPE);
    EXPECT_EQUAL(handle_close(weak), OK);
    EXPECT_EQUAL(notification_close(notification), OK);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_letter, marks_are_signalled_once_each_way)
{
    handle_t port = (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
    handle_t notification = (handle_t)notification_create();
    struct message message = numbered(1);
    uint64_t badge;
    uint64_t bits;

    ASSERT_EQUAL(port_configure(port, 5, 1, 4, PRIORITY_SHARING), OK);
    ASSERT_EQUAL(port_bind(port, notification, 1, PORT_EVENT_HIGH), OK);
    ASSERT_EQUAL(port_bind(port, notification, 2, PORT_EVENT_LOW), OK);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 5; i++) {
            EXPECT_EQUAL(notification_wait(notification, 0, DEADLINE_NOW, &bits),
                         i == 4 ? OK : ERR_WOULD_BLOCK);
            EXPECT_EQUAL(port_send(port, &message), OK);
        }
        EXPECT_EQUAL(port_send(port, &message), ERR_WOULD_BLOCK);
        for (unsigned i = 0; i < 5; i++) {
            EXPECT_EQUAL(notification_wait(notification, 0, DEADLINE_NOW, &bits),
                         i == 4 ? OK : ERR_WOULD_BLOCK);
            EXPECT_EQUAL(port_receive(port, &message, &badge, DEADLINE_NOW), OK);
        }
    }
    EXPECT_EQUAL(notification_close(notification), OK);
    EXPECT_EQUAL(port_close(port), OK);
}
