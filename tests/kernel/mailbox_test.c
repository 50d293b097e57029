/* SPDX-License-Identifier: MIT */
/* Mailboxes: order, bounds, and no message lost or seen twice. */
#include "ipc/mailbox.h"

#include <string.h>

#include "arch/irq.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

static status_t send(struct port *port, uint64_t number)
{
    struct message message = {.tag = MESSAGE_TAG(number, 2), .word = {number, ~number}};

    return mailbox_send(port, number + 1, &message);
}

/* Receives one message and checks that it is whole. */
static status_t receive(struct port *port, nsec_t deadline, uint64_t *number)
{
    struct delivery delivery = {.badge = 0};
    status_t status = mailbox_receive(port, deadline, &delivery);

    if (status == OK) {
        *number = delivery.message.word[0];
        EXPECT_EQ(delivery.message.tag, MESSAGE_TAG(*number, 2));
        EXPECT_EQ(delivery.message.word[1], ~*number);
        EXPECT_EQ(delivery.badge, *number + 1);
    } else {
        EXPECT_EQ(delivery.message.tag, 0);
        EXPECT_EQ(delivery.badge, 0);
    }
    EXPECT_EQ(delivery.token, 0);
    return status;
}

TEST(mailbox, messages_of_one_sender_arrive_whole_and_in_order)
{
    struct port *port = ports_make_mailbox();

    for (uint64_t i = 0; i < 20; i++) {
        EXPECT_OK(send(port, i));
    }
    EXPECT_EQ(port_queued(port), 20);
    for (uint64_t i = 0; i < 20; i++) {
        uint64_t number = ~0UL;

        EXPECT_OK(receive(port, DEADLINE_NONE, &number));
        EXPECT_EQ(number, i);
    }
    ports_close(port);
}

TEST(mailbox, a_full_one_refuses_until_there_is_room)
{
    struct port *port = ports_make_mailbox();
    uint64_t number = 0;

    for (uint64_t i = 0; i < PORT_QUEUE_CAPACITY; i++) {
        EXPECT_OK(send(port, i));
    }
    EXPECT_EQ(send(port, 1000), ERR_WOULD_BLOCK);
    EXPECT_OK(receive(port, DEADLINE_NOW, &number));
    EXPECT_OK(send(port, 1001));
    EXPECT_EQ(send(port, 1002), ERR_WOULD_BLOCK);
    ports_close(port); /* the rest is dropped: the baseline tells */
}

TEST(mailbox, a_receiver_waits_until_its_deadline_and_not_at_all_for_now)
{
    struct port *port = ports_make_mailbox();
    nsec_t when = timer_now_ns() + 2000000;
    uint64_t number = 77;

    EXPECT_EQ(receive(port, DEADLINE_NOW, &number), ERR_WOULD_BLOCK);
    EXPECT_EQ(receive(port, when, &number), ERR_TIMED_OUT);
    EXPECT_TRUE(timer_now_ns() >= when);
    EXPECT_EQ(number, 77);
    ports_close(port);
}

TEST(mailbox, a_closed_one_is_stale_for_both_sides)
{
    struct port *port = ports_make_mailbox();
    uint64_t number = 0;

    EXPECT_OK(send(port, 1));
    port_close(port, ERR_STALE);
    EXPECT_EQ(send(port, 2), ERR_STALE);
    EXPECT_EQ(receive(port, DEADLINE_NONE, &number), ERR_STALE);
    object_release(&port->object);
}

static void ignore(struct request *request)
{
    (void)request;
}

TEST(mailbox, a_service_is_none_and_a_bad_tag_is_refused)
{
    struct port *service = ports_make_service(ignore, NULL);
    struct port *port = ports_make_mailbox();
    struct message message = {.tag = MESSAGE_TAG(1, 5)};
    uint64_t number = 0;

    EXPECT_EQ(send(service, 1), ERR_WRONG_TYPE);
    EXPECT_EQ(receive(service, DEADLINE_NOW, &number), ERR_WRONG_TYPE);
    EXPECT_EQ(mailbox_send(port, 0, &message), ERR_INVALID);
    ports_close(service);
    ports_close(port);
}

static uint32_t waiting_receivers(struct port *port)
{
    uint32_t count = 0;
    uint64_t state = spin_lock_save(&port->receivers.lock);

    list_for_each(link, &port->receivers.waiters)
    {
        count++;
    }
    spin_unlock_restore(&port->receivers.lock, state);
    return count;
}

static void receive_stale(void *port)
{
    uint64_t number;

    EXPECT_EQ(receive(port, DEADLINE_NONE, &number), ERR_STALE);
}

TEST(mailbox, close_wakes_every_receiver_once_with_stale)
{
    struct port *port = ports_make_mailbox();
    struct thread *threads[5];

    for (unsigned i = 0; i < 5; i++) {
        threads[i] = crew_start(crew_core(i), receive_stale, port);
    }
    EXPECT_SOON(waiting_receivers(port) == 5);
    port_close(port, ERR_STALE);
    for (unsigned i = 0; i < 5; i++) {
        crew_join(threads[i]);
    }
    object_release(&port->object);
}

static void receive_cancelled(void *port)
{
    uint64_t number;

    EXPECT_EQ(receive(port, DEADLINE_NONE, &number), ERR_CANCELLED);
}

TEST(mailbox, a_killed_receiver_takes_no_message_with_it)
{
    struct port *port = ports_make_mailbox();
    struct thread *thread = crew_start(crew_core(1), receive_cancelled, port);
    uint64_t number = 0;

    EXPECT_SOON(waiting_receivers(port) == 1);
    thread_kill(thread);
    crew_join(thread);
    EXPECT_OK(send(port, 5));
    EXPECT_OK(receive(port, DEADLINE_NOW, &number));
    EXPECT_EQ(number, 5);
    ports_close(port);
}

#define SENDERS 4U
#define RECEIVERS 4U
#define MESSAGES 300U

static struct {
    struct port *port;
    uint32_t received;
    uint32_t seen[SENDERS * MESSAGES]; /* how often each message came */
} ledger;

static void send_all(unsigned sender)
{
    for (uint64_t i = 0; i < MESSAGES; i++) {
        status_t status = send(ledger.port, sender * MESSAGES + i);

        while (status == ERR_WOULD_BLOCK) {
            sched_yield();
            status = send(ledger.port, sender * MESSAGES + i);
        }
        EXPECT_OK(status);
    }
}

/* Receives until the mailbox is closed; each sender's messages must come in rising order. */
static void receive_all(void)
{
    uint64_t next[SENDERS] = {0};
    uint64_t number;
    status_t status = receive(ledger.port, DEADLINE_NONE, &number);

    while (status == OK) {
        uint64_t sender = number / MESSAGES;

        EXPECT_TRUE(number % MESSAGES >= next[sender]);
        next[sender] = number % MESSAGES + 1;
        /* relaxed: counts */
        atomic_add_relaxed(&ledger.seen[number], 1);
        if (atomic_add_relaxed(&ledger.received, 1) + 1 == SENDERS * MESSAGES) {
            port_close(ledger.port, ERR_STALE);
        }
        status = receive(ledger.port, DEADLINE_NONE, &number);
    }
    EXPECT_EQ(status, ERR_STALE);
}

static void send_or_receive(void *member)
{
    unsigned index = ((struct crew_member *)member)->index;

    if (index < SENDERS) {
        send_all(index);
    } else {
        receive_all();
    }
}

TEST(mailbox, senders_and_receivers_on_all_cores_balance_their_ledger)
{
    memset(&ledger, 0, sizeof(ledger));
    ledger.port = ports_make_mailbox();
    crew_run(SENDERS + RECEIVERS, send_or_receive, NULL);
    EXPECT_EQ(ledger.received, SENDERS * MESSAGES);
    for (unsigned i = 0; i < SENDERS * MESSAGES; i++) {
        EXPECT_EQ(ledger.seen[i], 1);
    }
    object_release(&ledger.port->object);
}
