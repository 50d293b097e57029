/* SPDX-License-Identifier: MIT */
/*
 * A client: threads that call, send, and collect results, while one of them takes back handles that they use.
 */
#include "user/programs/ipc-user/protocol.h"

#define THREADS 2U
#define LOOK_NS 200000UL
#define MOST_NS 4000000UL

/* A port as looked up, and the copy that is used; HANDLE_NONE: none. Shared by the threads: relaxed atomics, each
 * handle by itself is right or gone. */
static handle_t found[IPC_PORTS];
static handle_t copies[IPC_PORTS];
static uint32_t life;
static uint32_t requests;

struct client {
    uint32_t random;
    handle_t bell; /* a notification of its own */
    unsigned char text[IPC_SEGMENT_MOST];
    unsigned char back[IPC_RETURNED_MOST];
};

static handle_t find(uint32_t port)
{
    handle_t handle = __atomic_load_n(&copies[port], __ATOMIC_RELAXED);
    char name[TORTURE_NAME_BYTES];
    handle_t original;
    int64_t copy;

    if (handle != HANDLE_NONE) {
        return handle;
    }
    port_name(port, name);
    if (lookup_find(name, &original) != OK) {
        return HANDLE_NONE;
    }
    copy = handle_duplicate(original, RIGHT_CALL | RIGHT_SEND, 0);
    if (copy < 0) {
        return HANDLE_NONE;
    }
    handle_t before = __atomic_exchange_n(&found[port], original, __ATOMIC_RELAXED);
    if (before != HANDLE_NONE) {
        (void)handle_close(before);
    }
    before = __atomic_exchange_n(&copies[port], (handle_t)copy, __ATOMIC_RELAXED);
    if (before != HANDLE_NONE) {
        (void)handle_close(before);
    }
    return (handle_t)copy;
}

static void forget(uint32_t port, handle_t handle)
{
    (void)handle_close(handle);
    (void)__atomic_compare_exchange_n(&copies[port], &handle, HANDLE_NONE, false, __ATOMIC_RELAXED,
                                      __ATOMIC_RELAXED);
}

/* The copies end, whoever uses them now. */
static void take_back(uint32_t port)
{
    handle_t original = __atomic_load_n(&found[port], __ATOMIC_RELAXED);
    status_t status = original == HANDLE_NONE ? OK : handle_revoke(original);

    if (status != OK && status != ERR_BAD_HANDLE) {
        complain("revoke", status);
    }
}

static uint64_t draw_deadline(uint32_t *random)
{
    uint64_t patience = random_patience(random);

    return patience == UINT64_MAX ? DEADLINE_NONE
           : patience == 0        ? DEADLINE_NOW
                                  : clock_ns() + patience;
}

/* The reply's own status is not OK only if the run could not be noted, or the reply could not be carried. */
static status_t fold(status_t status, const struct message *reply)
{
    status_t answer = status == OK ? message_status(reply) : OK;

    if (answer != OK && answer != ERR_CANCELLED && answer != ERR_DEPTH) {
        complain("a reply", answer);
    }
    return answer != OK ? ERR_CANCELLED : status;
}

static status_t call(uint32_t port, handle_t handle, uint64_t request, uint32_t *random)
{
    enum request_kind kind = ipc_is_mailbox(port) ? REQUEST_MAILBOX : REQUEST_CALL;
    struct message message = {.tag = MESSAGE_TAG(IPC_SHORT, 2),
                              .word = {request, next_random(random)}};
    status_t status = port_call_until(handle, &message, draw_deadline(random));

    status = fold(status, &message);
    note_outcome(kind, request, status, message.word[0]);
    return status;
}

static void fill(struct client *client, uint64_t request, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i++) {
        client->text[i] = (unsigned char)(request + i * 7);
    }
}

static status_t call_long(struct client *client, handle_t handle, uint64_t request)
{
    struct message_page *page = message_page();
    uint64_t bytes = 1 + next_random(&client->random) % IPC_SEGMENT_MOST;
    uint64_t back = bytes < IPC_RETURNED_MOST ? bytes : IPC_RETURNED_MOST;
    struct message message = {.tag = MESSAGE_TAG_LONG(IPC_WITH_PAGE, IPC_LONG_WORDS, 1, 1),
                              .word = {request, next_random(&client->random)}};

    fill(client, request, bytes);
    page->word[4] = request;
    page->word[5] = ipc_sum(client->text, bytes);
    message_put_handle(0, client->bell, RIGHT_SEND);
    message_put_segment(0, client->text, bytes);
    message_set_window(0, client->back, sizeof(client->back));
    (void)notification_poll(client->bell, 0);
    status_t status = port_call_until(handle, &message, draw_deadline(&client->random));

    status = fold(status, &message);
    if (status == OK &&
        (page->word[4] != request || page->received[0].bytes != back ||
         page->word[5] != ipc_sum(client->text, back) ||
         ipc_sum(client->back, back) != page->word[5] || notification_poll(client->bell, 1) == 0)) {
        complain("what came back", ERR_BAD_FORMAT);
    }
    note_outcome(REQUEST_LONG, request, status, message.word[0]);
    return status;
}

/* Looks now and then, or waits; not for ever, since who has received a letter may never answer it. */
static status_t collect(uint64_t id, struct message *reply, uint32_t *random)
{
    uint64_t end = clock_ns() + next_random(random) % MOST_NS;
    status_t status = ERR_WOULD_BLOCK;

    if (next_random(random) % 2 == 0) {
        return message_result(id, reply, end);
    }
    while (status == ERR_WOULD_BLOCK && clock_ns() < end) {
        status = message_result(id, reply, DEADLINE_NOW);
        if (status == ERR_WOULD_BLOCK) {
            (void)thread_sleep(clock_ns() + LOOK_NS);
        }
    }
    return status;
}

static status_t send(uint32_t port, handle_t handle, uint64_t request, uint32_t *random)
{
    enum request_kind kind = REQUEST_LETTER;
    struct message message = {.tag = MESSAGE_TAG(IPC_SHORT, 2),
                              .word = {request, next_random(random)}};
    bool wants_result = next_random(random) % 2 == 0;
    uint64_t deadline = draw_deadline(random);
    uint64_t id;
    status_t status = wants_result ? port_send_for_result(handle, &message, deadline, &id)
                                   : port_send_until(handle, &message, deadline);

    if (status == OK && wants_result) {
        kind = ipc_is_mailbox(port) ? REQUEST_ANSWER : REQUEST_RESULT;
        status = fold(collect(id, &message, random), &message);
    }
    note_outcome(kind, request, status, message.word[0]);
    return status;
}

/* False: there are no numbers left. */
static bool make_request(struct client *client)
{
    uint32_t port = next_random(&client->random) % IPC_PORTS;
    uint32_t choice = next_random(&client->random) % 4;
    handle_t handle = find(port);

    if (handle == HANDLE_NONE) {
        return thread_sleep(clock_ns() + LOOK_NS) == OK;
    }
    uint32_t count = __atomic_fetch_add(&requests, 1, __ATOMIC_RELAXED);
    if (count >= LEDGER_REQUESTS) {
        return false;
    }
    uint64_t request = request_number(life, count);
    status_t status = port == IPC_LONG && choice != 0 ? call_long(client, handle, request)
                      : choice < 2                    ? call(port, handle, request, &client->random)
                                   : send(port, handle, request, &client->random);

    if (status == ERR_STALE || status == ERR_PEER_DIED || status == ERR_BAD_HANDLE) {
        forget(port, handle);
    }
    return true;
}

static int run_client(void *argument)
{
    struct client *client = argument;
    int64_t bell = notification_create();

    if (bell < 0 || message_page() == NULL) {
        complain("notification_create", bell);
    }
    client->bell = (handle_t)bell;
    while (make_request(client)) {
        if (next_random(&client->random) % 32 == 0) {
            take_back(next_random(&client->random) % IPC_PORTS);
        }
        dawdle(&client->random);
    }
    return 0;
}

void be_client(uint32_t number, uint32_t seed)
{
    static struct client clients[THREADS];
    struct thread threads[THREADS];

    life = number;
    for (unsigned i = 0; i < IPC_PORTS; i++) {
        found[i] = copies[i] = HANDLE_NONE;
    }
    for (unsigned i = 0; i < THREADS; i++) {
        clients[i].random = next_random(&seed);
        status_t status = i == 0 ? OK : thread_start(&threads[i], run_client, &clients[i]);

        if (status != OK) {
            complain("thread_start", status);
        }
    }
    (void)run_client(&clients[0]);
    (void)thread_join(&threads[1]);
}
