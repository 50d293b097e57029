/* SPDX-License-Identifier: MIT */
/* Calls of mailboxes: each ends once, with its reply or a definite error, and nobody is captive. */
#include <string.h>

#include "arch/irq.h"
#include "ipc/call.h"
#include "ipc/mailbox.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "sched/thread_table.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

static status_t call(struct port *port, uint64_t number, nsec_t deadline)
{
    struct message message = {.tag = MESSAGE_TAG(1, 2), .word = {number, ~number}};
    struct message before = message;
    status_t status = mailbox_call(port, number + 1, &message, deadline);

    if (status == OK) {
        EXPECT_EQ(message.tag, MESSAGE_TAG(2, 1));
        EXPECT_EQ(message.word[0], number * 3);
    } else {
        EXPECT_EQ(memcmp(&message, &before, sizeof(message)), 0);
    }
    return status;
}

static struct message reply_to(const struct delivery *delivery)
{
    return (struct message){.tag = MESSAGE_TAG(2, 1), .word = {delivery->message.word[0] * 3}};
}

static void check_call(const struct delivery *delivery)
{
    EXPECT_EQ(delivery->message.tag, MESSAGE_TAG(1, 2));
    EXPECT_EQ(delivery->message.word[1], ~delivery->message.word[0]);
    EXPECT_EQ(delivery->badge, delivery->message.word[0] + 1);
    EXPECT_TRUE(delivery->token != 0);
}

struct caller {
    struct port *port;
    uint64_t number;
    nsec_t deadline;
    status_t status;
    struct thread *thread;
};

static void call_once(void *argument)
{
    struct caller *caller = argument;

    caller->status = call(caller->port, caller->number, caller->deadline);
}

static void start_caller(struct caller *caller, struct port *port, uint64_t number)
{
    *caller = (struct caller){.port = port, .number = number};
    caller->thread = crew_start(crew_core((unsigned)number), call_once, caller);
}

static status_t end_of(struct caller *caller)
{
    crew_join(caller->thread);
    return caller->status;
}

/* Answers every call until the mailbox is closed. */
static void serve(void *port)
{
    struct delivery delivery = {.token = 0};
    struct message reply = {.tag = 0};
    status_t status = mailbox_reply_receive(0, &reply, port, DEADLINE_NONE, &delivery);

    while (status == OK) {
        check_call(&delivery);
        reply = reply_to(&delivery);
        status = mailbox_reply_receive(delivery.token, &reply, port, DEADLINE_NONE, &delivery);
    }
    EXPECT_EQ(status, ERR_STALE);
}

TEST(rendezvous, a_call_gets_the_reply_to_its_own_message)
{
    struct port *port = ports_make_mailbox();
    struct thread *server = crew_start(crew_core(1), serve, port);

    for (uint64_t i = 0; i < 1000; i++) {
        ASSERT_OK(call(port, i, DEADLINE_NONE));
    }
    struct message message = {.tag = MESSAGE_TAG(1, 2), .word = {7, ~7UL}};
    EXPECT_OK(call_port(port, 8, &message, DEADLINE_NONE));
    EXPECT_EQ(message.word[0], 21);
    ports_close(port);
    crew_join(server);
}

TEST(rendezvous, a_bad_tag_or_no_time_is_refused_before_anything_is_queued)
{
    struct port *port = ports_make_mailbox();
    struct message message = {.tag = MESSAGE_TAG(1, 5)};
    struct delivery delivery;

    EXPECT_EQ(mailbox_call(port, 0, &message, DEADLINE_NONE), ERR_INVALID);
    EXPECT_EQ(mailbox_reply(1, &message), ERR_INVALID);
    EXPECT_EQ(mailbox_reply_receive(1, &message, port, DEADLINE_NOW, &delivery), ERR_INVALID);
    EXPECT_EQ(call(port, 1, DEADLINE_NOW), ERR_WOULD_BLOCK);
    EXPECT_EQ(port_queued(port), 0);
    ports_close(port);
}

TEST(rendezvous, letters_and_calls_are_received_in_the_order_of_arrival)
{
    struct port *port = ports_make_mailbox();
    struct caller callers[3];
    struct delivery delivery;

    for (uint64_t i = 0; i < 6; i++) {
        if (i % 2 == 0) {
            start_caller(&callers[i / 2], port, i);
            EXPECT_SOON(port_queued(port) == i + 1);
        } else {
            struct message letter = {.tag = MESSAGE_TAG(1, 2), .word = {i}};
            EXPECT_OK(mailbox_send(port, 0, &letter));
        }
    }
    for (uint64_t i = 0; i < 6; i++) {
        ASSERT_OK(mailbox_receive(port, DEADLINE_NOW, &delivery));
        EXPECT_EQ(delivery.message.word[0], i);
        EXPECT_EQ(delivery.token == 0, i % 2 == 1);
        if (i % 2 == 0) {
            struct message reply = reply_to(&delivery);

            check_call(&delivery);
            EXPECT_OK(mailbox_reply(delivery.token, &reply));
            EXPECT_EQ(end_of(&callers[i / 2]), OK);
        }
    }
    ports_close(port);
}

TEST(rendezvous, callers_are_not_counted_as_letters)
{
    struct port *port = ports_make_mailbox();
    struct message letter = {.tag = MESSAGE_TAG(1, 0)};
    struct caller caller;

    start_caller(&caller, port, 1);
    EXPECT_SOON(port_queued(port) == 1);
    for (unsigned i = 0; i < PORT_QUEUE_CAPACITY; i++) {
        EXPECT_OK(mailbox_send(port, 0, &letter));
    }
    EXPECT_EQ(mailbox_send(port, 0, &letter), ERR_WOULD_BLOCK);
    ports_close(port);
    EXPECT_EQ(end_of(&caller), ERR_STALE);
}

TEST(rendezvous, a_token_works_once_and_a_forged_one_never)
{
    struct port *port = ports_make_mailbox();
    struct delivery delivery;
    struct message reply = {.tag = 0};
    struct caller caller;

    start_caller(&caller, port, 5);
    ASSERT_OK(mailbox_receive(port, DEADLINE_NONE, &delivery));
    reply = reply_to(&delivery);
    EXPECT_EQ(mailbox_reply(0, &reply), ERR_STALE);
    for (unsigned bit = 0; bit < 64; bit++) {
        EXPECT_EQ(mailbox_reply(delivery.token ^ 1UL << bit, &reply), ERR_STALE);
    }
    EXPECT_OK(mailbox_reply(delivery.token, &reply));
    EXPECT_EQ(mailbox_reply(delivery.token, &reply), ERR_STALE);
    EXPECT_EQ(end_of(&caller), OK);
    EXPECT_EQ(mailbox_reply(delivery.token, &reply), ERR_STALE);
    ports_close(port);
}

TEST(rendezvous, tokens_of_a_block_go_on_when_another_thread_has_it)
{
    struct port *port = ports_make_mailbox();
    struct message reply = {.tag = 0};
    struct delivery delivery;
    uint64_t last[64] = {0};
    unsigned again = 0;

    for (uint64_t i = 0; i < 200; i++) {
        struct caller caller;

        start_caller(&caller, port, i);
        ASSERT_OK(mailbox_receive(port, DEADLINE_NONE, &delivery));
        uint64_t *before = &last[delivery.token % (sizeof(last) / sizeof(last[0]))];

        if ((*before & TOKEN_INDEX) == (delivery.token & TOKEN_INDEX)) {
            EXPECT_TRUE(delivery.token > *before);
            EXPECT_EQ(mailbox_reply(*before, &reply), ERR_STALE);
            again++;
        }
        *before = delivery.token;
        reply = reply_to(&delivery);
        EXPECT_OK(mailbox_reply(delivery.token, &reply));
        EXPECT_EQ(end_of(&caller), OK);
    }
    EXPECT_TRUE(again > 0);
    ports_close(port);
}

TEST(rendezvous, a_deadline_ends_a_call_in_the_line_and_one_that_is_served)
{
    struct port *port = ports_make_mailbox();
    struct delivery delivery;
    struct message reply = {.tag = 0};
    struct caller caller = {.port = port};
    nsec_t time = 2000000;
    status_t status;

    EXPECT_EQ(call(port, 1, timer_now_ns() + 1000000), ERR_TIMED_OUT);
    EXPECT_EQ(port_queued(port), 0);
    do { /* with more time when it had passed before the call came */
        caller.deadline = timer_now_ns() + time;
        caller.thread = crew_start(crew_core(1), call_once, &caller);
        status = mailbox_receive(port, caller.deadline, &delivery);
        EXPECT_EQ(end_of(&caller), ERR_TIMED_OUT);
        time *= 2;
    } while (status != OK);
    EXPECT_TRUE(timer_now_ns() >= caller.deadline);
    EXPECT_EQ(mailbox_reply(delivery.token, &reply), ERR_STALE);
    EXPECT_EQ(mailbox_receive(port, DEADLINE_NOW, &delivery), ERR_WOULD_BLOCK);
    ports_close(port);
}

TEST(rendezvous, close_refuses_who_was_not_received_and_leaves_the_others)
{
    struct port *port = ports_make_mailbox();
    struct delivery delivery;
    struct caller served;
    struct caller queued;

    start_caller(&served, port, 1);
    ASSERT_OK(mailbox_receive(port, DEADLINE_NONE, &delivery));
    start_caller(&queued, port, 2);
    EXPECT_SOON(port_queued(port) == 1);
    port_close(port, ERR_STALE);
    EXPECT_EQ(end_of(&queued), ERR_STALE);
    EXPECT_EQ(call(port, 3, DEADLINE_NONE), ERR_STALE);
    struct message reply = reply_to(&delivery);
    object_release(&port->object);
    EXPECT_OK(mailbox_reply(delivery.token, &reply));
    EXPECT_EQ(end_of(&served), OK);
}

TEST(rendezvous, a_killed_caller_leaves_at_every_stage)
{
    struct port *port = ports_make_mailbox();
    struct delivery delivery;
    struct message reply = {.tag = 0};
    struct caller caller;

    start_caller(&caller, port, 1);
    EXPECT_SOON(port_queued(port) == 1);
    thread_kill(caller.thread);
    EXPECT_EQ(end_of(&caller), ERR_CANCELLED);
    EXPECT_EQ(port_queued(port), 0);
    start_caller(&caller, port, 2);
    ASSERT_OK(mailbox_receive(port, DEADLINE_NONE, &delivery));
    thread_kill(caller.thread);
    EXPECT_EQ(end_of(&caller), ERR_CANCELLED);
    EXPECT_EQ(mailbox_reply(delivery.token, &reply), ERR_STALE);
    ports_close(port);
}

static void receive_and_keep(void *argument)
{
    struct delivery *delivery = ((void **)argument)[1];

    EXPECT_OK(mailbox_receive(((void **)argument)[0], DEADLINE_NONE, delivery));
}

TEST(rendezvous, a_token_outlives_the_thread_that_received_it)
{
    struct port *port = ports_make_mailbox();
    struct delivery delivery = {.token = 0};
    void *arguments[] = {port, &delivery};
    struct caller caller;

    start_caller(&caller, port, 1);
    crew_join(crew_start(crew_core(1), receive_and_keep, arguments));
    struct message reply = reply_to(&delivery);
    EXPECT_OK(mailbox_reply(delivery.token, &reply));
    EXPECT_EQ(end_of(&caller), OK);
    ports_close(port);
}

#define RACES 100000U

static struct {
    struct port *port;
    uint64_t answered; /* replies that were taken */
    uint64_t refused;  /* ... and not */
} race;

static void serve_race(void *argument)
{
    struct delivery delivery;

    (void)argument;
    while (mailbox_receive(race.port, DEADLINE_NONE, &delivery) == OK) {
        struct message reply = reply_to(&delivery);
        status_t status = mailbox_reply(delivery.token, &reply);

        race.answered += status == OK;
        race.refused += status == ERR_STALE;
        EXPECT_TRUE(status == OK || status == ERR_STALE);
    }
}

/* Deadlines that pass about when the reply comes: the one or the other. */
TEST(rendezvous, a_deadline_and_a_reply_never_both_decide)
{
    uint32_t random = 1;
    uint64_t answered = 0;
    uint64_t late = 0;

    memset(&race, 0, sizeof(race));
    race.port = ports_make_mailbox();
    struct thread *server = crew_start(crew_core(1), serve_race, NULL);

    for (unsigned i = 0; i < RACES; i++) {
        status_t status = call(race.port, i, timer_now_ns() + crew_random(&random) % 20000);

        answered += status == OK;
        late += status == ERR_TIMED_OUT;
    }
    ports_close(race.port);
    crew_join(server);
    EXPECT_EQ(answered + late, RACES);
    EXPECT_EQ(answered, race.answered);
    EXPECT_TRUE(late >= race.refused);
    EXPECT_TRUE(answered > 0 && late > 0);
}

#define CLIENTS 6U
#define SERVERS 3U
#define CALLS 400U

static struct {
    struct port *port;
    uint32_t left; /* clients that still call */
    uint32_t served[CLIENTS * CALLS];
} crowd;

static void crowd_serve(void)
{
    struct delivery delivery = {.token = 0};
    struct message reply = {.tag = 0};

    while (mailbox_reply_receive(delivery.token, &reply, crowd.port, DEADLINE_NONE, &delivery) ==
           OK) {
        check_call(&delivery);
        /* relaxed: a count */
        atomic_add_relaxed(&crowd.served[delivery.message.word[0]], 1);
        reply = reply_to(&delivery);
    }
}

static void crowd_member(void *member)
{
    unsigned index = ((struct crew_member *)member)->index;

    if (index >= CLIENTS) {
        crowd_serve();
        return;
    }
    for (unsigned i = 0; i < CALLS; i++) {
        EXPECT_OK(call(crowd.port, index * CALLS + i, DEADLINE_NONE));
    }
    /* relaxed: a count */
    if (atomic_sub_relaxed(&crowd.left, 1) == 1) {
        port_close(crowd.port, ERR_STALE);
    }
}

TEST(rendezvous, many_clients_and_several_servers_balance)
{
    memset(&crowd, 0, sizeof(crowd));
    crowd.port = ports_make_mailbox();
    crowd.left = CLIENTS;
    crew_run(CLIENTS + SERVERS, crowd_member, NULL);
    for (unsigned i = 0; i < CLIENTS * CALLS; i++) {
        EXPECT_EQ(crowd.served[i], 1);
    }
    object_release(&crowd.port->object);
}

TEST(rendezvous, a_thread_is_found_by_the_index_of_its_block)
{
    uint64_t state = irq_save();
    struct thread *self = thread_current();
    uint64_t index = self->rendezvous.last_token & TOKEN_INDEX;

    EXPECT_TRUE(thread_of_index(index) == self);
    irq_restore(state);
}
