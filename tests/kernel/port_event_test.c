/* SPDX-License-Identifier: MIT */
/* Events of ports on notifications: bound, signalled, replaced, unbound, closed, in any order. */
#include "ipc/port_event.h"

#include <string.h>

#include "ipc/mailbox.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

static struct notification *make(void)
{
    struct notification *notification = NULL;

    EXPECT_OK(notification_create(&kernel_domain, &notification));
    return notification;
}

static void finish(struct notification *notification)
{
    notification_close(notification, ERR_STALE);
    object_release(&notification->object);
}

static uint64_t poll(struct notification *notification)
{
    uint64_t bits = 0;

    return notification_wait(notification, ~0UL, DEADLINE_NOW, &bits) == OK ? bits : 0;
}

static status_t send(struct port *port)
{
    const struct message message = {.tag = MESSAGE_TAG(1, 0)};

    return mailbox_send(port, 0, &message);
}

static status_t receive(struct port *port, nsec_t deadline)
{
    struct message message;
    uint64_t badge;

    return ports_receive(port, deadline, &message, &badge);
}

TEST(port_event, a_message_signals_the_bits_that_are_bound)
{
    struct port *port = ports_make_mailbox();
    struct notification *notification = make();

    EXPECT_OK(port_bind(port, notification, 5, PORT_EVENT_MESSAGE));
    EXPECT_EQ(poll(notification), 0);
    EXPECT_OK(send(port));
    EXPECT_EQ(poll(notification), 5);
    EXPECT_OK(send(port));
    EXPECT_EQ(poll(notification), 5);
    ports_close(port);
    finish(notification);
}

TEST(port_event, messages_that_were_there_before_are_signalled_by_the_binding)
{
    struct port *port = ports_make_mailbox();
    struct notification *notification = make();

    EXPECT_OK(send(port));
    EXPECT_OK(port_bind(port, notification, 2, PORT_EVENT_HIGH));
    EXPECT_EQ(poll(notification), 0);
    EXPECT_OK(port_bind(port, notification, 1, PORT_EVENT_MESSAGE));
    EXPECT_EQ(poll(notification), 1);
    ports_close(port);
    finish(notification);
}

TEST(port_event, each_event_has_bits_of_its_own_and_the_last_binding_counts)
{
    struct port *port = ports_make_mailbox();
    struct notification *one = make();
    struct notification *two = make();

    EXPECT_OK(port_bind(port, one, 1, PORT_EVENT_MESSAGE));
    EXPECT_OK(port_bind(port, one, 2, PORT_EVENT_HIGH));
    EXPECT_OK(port_bind(port, one, 4, PORT_EVENT_LOW));
    port_raise_event(port, PORT_EVENT_HIGH);
    EXPECT_EQ(poll(one), 2);
    port_raise_event(port, PORT_EVENT_LOW);
    EXPECT_EQ(poll(one), 4);
    EXPECT_OK(port_bind(port, two, 8, PORT_EVENT_MESSAGE));
    EXPECT_OK(send(port));
    EXPECT_EQ(poll(one), 0);
    EXPECT_EQ(poll(two), 8);
    EXPECT_OK(port_bind(port, NULL, 0, PORT_EVENT_MESSAGE));
    EXPECT_OK(send(port));
    EXPECT_EQ(poll(two), 0);
    ports_close(port);
    EXPECT_EQ(poll(one), 6); /* what was bound at the end */
    finish(one);
    finish(two);
}

static void ignore(struct request *request)
{
    (void)request;
}

TEST(port_event, what_cannot_be_bound_is_refused)
{
    struct port *port = ports_make_mailbox();
    struct port *service = ports_make_service(ignore, NULL);
    struct notification *notification = make();

    EXPECT_EQ(port_bind(port, notification, 1, PORT_EVENTS), ERR_INVALID);
    EXPECT_EQ(port_bind(port, notification, 0, PORT_EVENT_MESSAGE), ERR_INVALID);
    EXPECT_EQ(port_bind(service, notification, 1, PORT_EVENT_MESSAGE), ERR_WRONG_TYPE);
    EXPECT_OK(port_bind(service, notification, 1, PORT_EVENT_HIGH));
    port_close(port, ERR_STALE);
    EXPECT_EQ(port_bind(port, notification, 1, PORT_EVENT_MESSAGE), ERR_STALE);
    object_release(&port->object);
    ports_close(service);
    finish(notification);
}

TEST(port_event, a_closed_notification_harms_no_port_and_is_kept_by_it)
{
    struct port *port = ports_make_mailbox();
    struct notification *notification = make();

    EXPECT_OK(port_bind(port, notification, 1, PORT_EVENT_MESSAGE));
    finish(notification);
    EXPECT_OK(send(port));
    EXPECT_OK(receive(port, DEADLINE_NOW));
    ports_close(port);
}

TEST(port_event, closing_a_port_tells_who_waits_for_its_messages)
{
    struct port *port = ports_make_mailbox();
    struct notification *notification = make();

    EXPECT_OK(port_bind(port, notification, 1, PORT_EVENT_MESSAGE));
    ports_close(port);
    EXPECT_EQ(poll(notification), 1);
    finish(notification);
}

#define SENDERS 3U
#define MESSAGES 1500U

static struct {
    struct port *ports[SENDERS];
    struct notification *notification;
} server;

static void send_all(unsigned index)
{
    for (unsigned i = 0; i < MESSAGES; i++) {
        status_t status;

        while ((status = send(server.ports[index])) == ERR_WOULD_BLOCK) {
            sched_yield();
        }
        EXPECT_OK(status);
    }
}

/* Looks only at the ports that it was told of, and sees all messages. */
static void serve_all(void)
{
    unsigned left = SENDERS * MESSAGES;

    while (left > 0) {
        uint64_t bits = 0;

        ASSERT_OK(notification_wait(server.notification, ~0UL, DEADLINE_NONE, &bits));
        for (unsigned i = 0; i < SENDERS; i++) {
            while ((bits & 1UL << i) != 0 && receive(server.ports[i], DEADLINE_NOW) == OK) {
                left--;
            }
        }
    }
}

static void send_or_serve(void *member)
{
    unsigned index = ((struct crew_member *)member)->index;

    if (index < SENDERS) {
        send_all(index);
    } else {
        serve_all();
    }
}

TEST(port_event, one_thread_waits_for_several_ports_and_misses_no_message)
{
    server.notification = make();
    for (unsigned i = 0; i < SENDERS; i++) {
        server.ports[i] = ports_make_mailbox();
        EXPECT_OK(port_bind(server.ports[i], server.notification, 1UL << i, PORT_EVENT_MESSAGE));
    }
    crew_run(SENDERS + 1, send_or_serve, NULL);
    for (unsigned i = 0; i < SENDERS; i++) {
        EXPECT_EQ(port_queued(server.ports[i]), 0);
        ports_close(server.ports[i]);
    }
    finish(server.notification);
}

#define STORM_ROUNDS 100U

static struct {
    struct port *port;
    struct notification *notifications[2];
} storm;

/* Each round a port and two notifications; binding, sending, unbinding and closing meet. */
static void storm_round(unsigned index, uint32_t *random)
{
    struct notification *one = storm.notifications[crew_random(random) % 2];
    status_t status = OK;

    switch (index % 4) {
    case 0:
        status = port_bind(storm.port, one, 1, PORT_EVENT_MESSAGE);
        break;
    case 1:
        status = send(storm.port);
        break;
    case 2:
        status = port_bind(storm.port, NULL, 0, PORT_EVENT_MESSAGE);
        break;
    default:
        if (crew_random(random) % 2 == 0) {
            notification_close(one, ERR_STALE);
        } else {
            port_close(storm.port, ERR_STALE);
        }
        break;
    }
    EXPECT_TRUE(status == OK || status == ERR_STALE);
}

static void storm_member(void *member)
{
    unsigned index = ((struct crew_member *)member)->index;
    uint32_t random = index + 1;

    for (unsigned i = 0; i < 8; i++) {
        storm_round(index + i, &random);
    }
}

TEST(port_event, bind_send_unbind_and_close_may_meet_in_any_order)
{
    for (unsigned i = 0; i < STORM_ROUNDS; i++) {
        storm.port = ports_make_mailbox();
        storm.notifications[0] = make();
        storm.notifications[1] = make();
        crew_run(4, storm_member, NULL);
        finish(storm.notifications[0]);
        ports_close(storm.port);
        finish(storm.notifications[1]);
    }
}
