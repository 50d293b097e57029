/* SPDX-License-Identifier: MIT */
/* Mailboxes: sending and receiving between threads. */
#include "user/lib/test.h"

#define MESSAGES 2000
#define SENDERS 3
#define BACK_OFF_NS 100000

static handle_t mailbox(void)
{
    return (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
}

static struct message numbered(uint64_t sender, uint64_t number)
{
    return (struct message){
        .tag = MESSAGE_TAG(7, 4),
        .word = {sender, number, ~number, number * 3},
    };
}

static bool is_numbered(const struct message *message, uint64_t sender, uint64_t number)
{
    return message->tag == MESSAGE_TAG(7, 4) && message->word[0] == sender &&
           message->word[1] == number && message->word[2] == ~number &&
           message->word[3] == number * 3;
}

TEST(user_port, messages_keep_their_order)
{
    handle_t port = mailbox();
    struct message message;
    uint64_t badge = 99;

    ASSERT((int64_t)port > 0);
    for (uint64_t i = 0; i < PORT_QUEUE_CAPACITY; i++) {
        message = numbered(0, i);
        ASSERT_EQUAL(port_send(port, &message), OK);
    }
    for (uint64_t i = 0; i < PORT_QUEUE_CAPACITY; i++) {
        ASSERT_EQUAL(port_receive(port, &message, &badge, DEADLINE_NONE), OK);
        EXPECT(is_numbered(&message, 0, i));
    }
    EXPECT_EQUAL(badge, 0);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_port, full_mailbox_would_block)
{
    handle_t port = mailbox();
    struct message message = numbered(0, 0);
    uint64_t badge;

    for (unsigned i = 0; i < PORT_QUEUE_CAPACITY; i++) {
        ASSERT_EQUAL(port_send(port, &message), OK);
    }
    EXPECT_EQUAL(port_send(port, &message), ERR_WOULD_BLOCK);
    EXPECT_EQUAL(port_receive(port, &message, &badge, DEADLINE_NOW), OK);
    EXPECT_EQUAL(port_send(port, &message), OK);
    EXPECT_EQUAL(port_send(port, &message), ERR_WOULD_BLOCK);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_port, empty_mailbox_would_block_or_times_out)
{
    handle_t port = mailbox();
    struct message message;
    uint64_t badge;
    uint64_t deadline = test_deadline_ms(5);

    EXPECT_EQUAL(port_receive(port, &message, &badge, DEADLINE_NOW), ERR_WOULD_BLOCK);
    EXPECT_EQUAL(port_receive(port, &message, &badge, deadline), ERR_TIMED_OUT);
    EXPECT(clock_ns() >= deadline);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_port, receiver_sees_the_badge_of_the_sender)
{
    handle_t port = mailbox();
    handle_t sender = (handle_t)handle_duplicate(port, RIGHT_SEND, 4711);
    struct message message = {.tag = 0};
    uint64_t badge = 0;

    EXPECT_EQUAL(port_send(sender, &message), OK);
    EXPECT_EQUAL(port_receive(port, &message, &badge, DEADLINE_NOW), OK);
    EXPECT_EQUAL(badge, 4711);
    EXPECT_EQUAL(handle_close(sender), OK);
    EXPECT_EQUAL(port_close(port), OK);
}

struct sender {
    handle_t port;
    uint64_t number;
};

/* Backs off while the mailbox is full, since senders that only retried would keep its lock from
 * the receiver; the exit code tells of any other error. */
static int send_all(void *argument)
{
    const struct sender *sender = argument;

    for (uint64_t i = 0; i < MESSAGES; i++) {
        struct message message = numbered(sender->number, i);
        status_t status;

        while ((status = port_send(sender->port, &message)) == ERR_WOULD_BLOCK) {
            thread_sleep(clock_ns() + BACK_OFF_NS);
        }
        if (status != OK) {
            return 1;
        }
    }
    return 0;
}

TEST(user_port, several_senders_lose_nothing)
{
    handle_t port = mailbox();
    struct thread threads[SENDERS];
    struct sender senders[SENDERS];
    uint64_t next[SENDERS] = {0};

    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.port = port, .number = i};
        ASSERT_EQUAL(thread_start(&threads[i], send_all, &senders[i]), OK);
    }
    for (unsigned i = 0; i < SENDERS * MESSAGES; i++) {
        struct message message = {.tag = 0};
        uint64_t badge;

        ASSERT_EQUAL(port_receive(port, &message, &badge, DEADLINE_NONE), OK);
        uint64_t from = message.word[0];

        ASSERT(from < SENDERS);
        EXPECT(is_numbered(&message, from, next[from]));
        next[from]++;
    }
    for (unsigned i = 0; i < SENDERS; i++) {
        EXPECT_EQUAL(thread_join(&threads[i]), 0);
        EXPECT_EQUAL(next[i], MESSAGES);
    }
    EXPECT_EQUAL(port_close(port), OK);
}

/* Returns the negated status of a receive that waits for ever. */
static int receive_one(void *argument)
{
    handle_t port = (handle_t)(uintptr_t)argument;
    struct message message;
    uint64_t badge;

    return (int)-port_receive(port, &message, &badge, DEADLINE_NONE);
}

TEST(user_port, close_wakes_every_waiter_with_stale)
{
    struct thread threads[SENDERS];
    handle_t port = mailbox();
    handle_t other = (handle_t)handle_duplicate(port, RIGHT_RECEIVE, 0);

    for (unsigned i = 0; i < SENDERS; i++) {
        ASSERT_EQUAL(thread_start(&threads[i], receive_one, (void *)other), OK);
    }
    for (int i = 0; i < 20; i++) {
        thread_yield();
    }
    EXPECT_EQUAL(port_close(port), OK);
    for (unsigned i = 0; i < SENDERS; i++) {
        EXPECT_EQUAL(thread_join(&threads[i]), -ERR_STALE);
    }
    EXPECT_EQUAL(handle_close(other), OK);
}

TEST(user_port, killed_receiver_leaves_the_mailbox_usable)
{
    struct thread thread;
    handle_t port = mailbox();
    struct message message = numbered(1, 2);
    uint64_t badge;

    ASSERT_EQUAL(thread_start(&thread, receive_one, (void *)port), OK);
    for (int i = 0; i < 20; i++) {
        thread_yield();
    }
    EXPECT_EQUAL(thread_kill(thread.handle), OK);
    EXPECT_EQUAL(thread_join(&thread), EXIT_KILLED);
    EXPECT_EQUAL(port_send(port, &message), OK);
    EXPECT_EQUAL(port_receive(port, &message, &badge, DEADLINE_NOW), OK);
    EXPECT(is_numbered(&message, 1, 2));
    EXPECT_EQUAL(port_close(port), OK);
}
