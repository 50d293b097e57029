/* SPDX-License-Identifier: MIT */
/* Servers with a mailbox: threads that receive and reply, in two steps or in one, or wait for several mailboxes. */
#include "user/programs/ipc-user/protocol.h"

#define THREADS 2U
#define NAP_NS 1000000UL
#define POISON 0xdeadUL

struct mailbox {
    handle_t port;
    uint32_t random;
    bool slow;
};

/* What ends a receiver: the port was closed, and with it our handle, or the thread is to end. */
static bool is_over(status_t status)
{
    if (status == OK || status == ERR_TIMED_OUT || status == ERR_WOULD_BLOCK) {
        return false;
    }
    if (status != ERR_STALE && status != ERR_BAD_HANDLE && status != ERR_CANCELLED) {
        complain("receive", status);
    }
    return true;
}

/* A token is good for one reply. The caller may have left. */
static void reply_once(uint64_t token, const struct message *reply, uint32_t *random)
{
    static const struct message again = {.tag = MESSAGE_TAG(OK, 1), .word = {POISON}};
    status_t status = mailbox_reply(token, reply);

    if (status != OK && status != ERR_STALE && status != ERR_CANCELLED) {
        complain("reply", status);
    }
    if (next_random(random) % 4 == 0) {
        status = mailbox_reply(token, &again);
        if (status != ERR_STALE && status != ERR_CANCELLED) {
            complain("a second reply", status);
        }
    }
}

static void serve_one(struct delivery *delivery, uint32_t *random)
{
    run_request(&delivery->message);
    if (delivery->token != 0) {
        reply_once(delivery->token, &delivery->message, random);
    }
}

static int receive_and_reply(void *argument)
{
    struct mailbox *mailbox = argument;
    uint32_t random = mailbox->random;
    struct delivery delivery;
    status_t status;

    do {
        bool hurry = next_random(&random) % 2 == 0;

        status =
            mailbox_receive(mailbox->port, &delivery, hurry ? clock_ns() + NAP_NS : DEADLINE_NONE);
        if (status == OK) {
            serve_one(&delivery, &random);
        }
        if (mailbox->slow) {
            (void)thread_sleep(clock_ns() + next_random(&random) % NAP_NS);
        }
    } while (!is_over(status));
    return 0;
}

static int reply_and_receive(void *argument)
{
    struct mailbox *mailbox = argument;
    uint32_t random = mailbox->random;
    struct delivery delivery = {.token = 0};
    status_t status;

    do {
        bool hurry = next_random(&random) % 4 == 0;

        status = mailbox_reply_receive(mailbox->port, &delivery,
                                       hurry ? clock_ns() + NAP_NS : DEADLINE_NONE);
        if (status == OK) {
            run_request(&delivery.message);
        }
    } while (!is_over(status));
    return 0;
}

/* Until the first of the two is closed. */
static int wait_for_any(void *argument)
{
    struct mailbox *mailbox = argument;
    struct wait_any any;
    unsigned first, second, source;
    status_t status = wait_any_init(&any);

    if (status == OK) {
        status = wait_any_add_port(&any, mailbox[0].port, true, &first);
    }
    if (status == OK) {
        status = wait_any_add_port(&any, mailbox[1].port, false, &second);
    }
    while (!is_over(status)) {
        struct delivery delivery;

        status = wait_any_next(&any, DEADLINE_NONE, &source);
        if (status == OK) {
            status =
                mailbox_receive(mailbox[source == first ? 0 : 1].port, &delivery, DEADLINE_NOW);
        }
        if (status == OK) {
            wait_any_more(&any, source);
            serve_one(&delivery, &mailbox[0].random);
        }
    }
    wait_any_end(&any);
    return 0;
}

static handle_t open_mailbox(void)
{
    int64_t port = port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);

    if (port < 0) {
        complain("port_create", port);
    }
    return (handle_t)port;
}

static void start(struct thread *thread, thread_fn fn, void *argument)
{
    status_t status = thread_start(thread, fn, argument);

    if (status != OK) {
        complain("thread_start", status);
    }
}

void serve_mailbox(uint32_t server, uint32_t *random)
{
    static const thread_fn entries[] = {[IPC_REPLYING] = receive_and_reply,
                                        [IPC_TURNING] = reply_and_receive,
                                        [IPC_WATCHED] = wait_for_any,
                                        [IPC_FULL] = receive_and_reply};
    struct mailbox mailbox[2];
    struct thread threads[THREADS];
    unsigned count = server == IPC_WATCHED || server == IPC_FULL ? 1 : THREADS;

    for (unsigned i = 0; i < 2; i++) {
        bool second = server == IPC_WATCHED && i == 1;

        mailbox[i] = (struct mailbox){.port = second || i == 0 ? open_mailbox() : mailbox[0].port,
                                      .random = next_random(random),
                                      .slow = server == IPC_FULL};
    }
    if (server == IPC_FULL) {
        (void)port_configure(mailbox[0].port, IPC_LITTLE_ROOM, 0, 1, PRIORITY_SHARING);
    }
    for (unsigned i = 0; i < count; i++) {
        start(&threads[i], entries[server], &mailbox[i]);
    }
    register_port(server, mailbox[0].port);
    if (server == IPC_WATCHED) {
        register_port(IPC_WATCHED_TOO, mailbox[1].port);
    }
    rest_open(random);
    if (next_random(random) % 8 == 0) {
        (void)thread_kill(threads[0].handle);
    }
    (void)port_close(mailbox[0].port);
    for (unsigned i = 0; i < count; i++) {
        (void)thread_join(&threads[i]);
    }
    (void)port_close(mailbox[1].port);
}
