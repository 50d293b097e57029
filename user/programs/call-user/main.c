/* SPDX-License-Identifier: MIT */
/*
 * A caller or a server of the torture of calls: call-user caller|server LIFE SERVER SEED.
 *
 * A caller calls servers at random, with numbered requests and random deadlines, and tells the ledger what became
 * of each. A server tells the ledger of each run, does one thing or another, and may call other servers in
 * between, as a caller does. Both live until they are killed, or have used up their numbers. Ends with 1 when a
 * call gave an answer that it may not give.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/baton.h"
#include "user/programs/call-user/protocol.h"

#define SERVERS (TORTURE_USER_SERVERS + TORTURE_KERNEL_SERVERS)
#define REOPENINGS 6U
#define OPEN_NS 15000000UL
#define LOOK_NS 200000UL

static uint32_t life, seed;
static uint32_t requests; /* a port that was closed may still be run beside its successor: atomic */
static handle_t ledger;
static handle_t servers
    [SERVERS]; /* HANDLE_NONE: not looked up, or gone; runs side by side share them: atomic */

static void complain(const char *what, int64_t status)
{
    printf("call-user: %s: %s\n", what, status_text((status_t)status));
    domain_exit(1);
}

static void server_name(uint32_t server, char name[TORTURE_NAME_BYTES])
{
    bool user = server < TORTURE_USER_SERVERS;

    snprintf(name, TORTURE_NAME_BYTES, "torture/%c%u", user ? 's' : 'k',
             (unsigned)(user ? server : server - TORTURE_USER_SERVERS));
}

/* HANDLE_NONE: there is none at the moment. */
static handle_t find_server(uint32_t server)
{
    handle_t port = __atomic_load_n(&servers[server], __ATOMIC_RELAXED);
    char name[TORTURE_NAME_BYTES];

    if (port == HANDLE_NONE) {
        server_name(server, name);
        if (lookup_find(name, &port) != OK) {
            return HANDLE_NONE;
        }
        __atomic_store_n(&servers[server], port, __ATOMIC_RELAXED);
    }
    return port;
}

static void forget_server(uint32_t server, handle_t port)
{
    (void)handle_close(port); /* a second time does no harm */
    (void)__atomic_compare_exchange_n(&servers[server], &port, HANDLE_NONE, false, __ATOMIC_RELAXED,
                                      __ATOMIC_RELAXED);
}

static status_t note(uint32_t label, uint64_t request, uint64_t word1, uint64_t word2)
{
    struct message message = {.tag = MESSAGE_TAG(label, 4),
                              .word = {request, word1, word2, REQUEST_CALL}};

    return port_request(ledger, &message);
}

static uint64_t deadline_after(uint64_t patience)
{
    return patience == UINT64_MAX ? DEADLINE_NONE
           : patience == 0        ? DEADLINE_NOW
                                  : clock_ns() + patience;
}

/* One request to a random server, from start to the ledger. */
static void make_request(uint64_t depth, uint32_t *random)
{
    uint32_t server = next_random(random) % SERVERS;
    handle_t port = find_server(server);

    if (port == HANDLE_NONE) {
        (void)thread_sleep(clock_ns() + LOOK_NS);
        return;
    }
    uint32_t count = __atomic_fetch_add(&requests, 1, __ATOMIC_RELAXED);
    if (count >= LEDGER_REQUESTS) {
        return;
    }
    uint64_t request = request_number(life, count);
    struct message message = {.tag = MESSAGE_TAG(SERVER_WORK, 3),
                              .word = {request, depth, next_random(random)}};
    status_t status = port_call_until(port, &message, deadline_after(random_patience(random)));

    if (status == OK && message_status(&message) != OK) {
        status =
            message_status(&message); /* it was not run: the server could not tell the ledger */
        message.word[0] = 0;
    }
    if (status == ERR_BAD_HANDLE) {
        status = ERR_STALE; /* another run has found it closed, and closed the handle */
    }
    if (status == ERR_STALE || status == ERR_PEER_DIED) {
        forget_server(server, port);
    }
    /* Deep below, or run by a kernel thread that is to end, the ledger is out of reach: then the number is left
     * open. */
    status = note(LEDGER_OUTCOME, request, (uint64_t)(int64_t)status, message.word[0]);
    if (status != OK && status != ERR_DEPTH && status != ERR_CANCELLED) {
        complain("the ledger", status);
    }
}

static void spin(uint64_t ns)
{
    uint64_t end = clock_ns() + ns;

    while (clock_ns() < end) {
    }
}

static void copy_much(void)
{
    static char text[65536];

    for (unsigned i = 0; i < 4; i++) {
        (void)archive_read("shell", 0, text, sizeof(text));
    }
}

static void do_something(uint32_t *random)
{
    switch (next_random(random) % 24) {
    case 0:
        (void)thread_sleep(clock_ns() + next_random(random) % 300000);
        break;
    case 1:
        spin(next_random(random) % 200000);
        break;
    case 2:
        copy_much();
        break;
    case 3:
        copy_much();
        break;
    case 4:
        (void)thread_yield();
        break;
    case 5:
        (void)thread_migrate(next_random(random) % 8);
        break;
    default:
        break;
    }
}

static void serve(void *context, uint64_t badge, struct message *message)
{
    uint64_t request = message->word[0];
    uint64_t depth = message->word[1];
    uint32_t random = (uint32_t)message->word[2];
    status_t status = note(LEDGER_RUN, request, 0, 0);

    (void)context;
    (void)badge;
    if (status == OK) {
        do_something(&random);
        if (depth > 0) {
            make_request(depth - 1, &random);
        }
        message->word[0] = request ^ SERVER_SEAL;
    }
    service_reply(message, status, 1);
}

static status_t create(uint32_t server, handle_t *port)
{
    switch (server % 3) {
    case 0:
        return service_create(serve, NULL, port);
    case 1:
        return service_create_combining(serve, NULL, port);
    default:
        return service_create_concurrent(serve, NULL, 3, port);
    }
}

static void be_server(uint32_t server)
{
    char name[TORTURE_NAME_BYTES];
    uint32_t random = seed;

    server_name(server, name);
    for (unsigned i = 0; i < REOPENINGS; i++) {
        handle_t port;
        status_t status = create(server, &port);

        if (status != OK) {
            complain("service_create", status);
        }
        status = lookup_register(name, port);
        if (status != OK && status != ERR_EXISTS) {
            complain("lookup_register", status);
        }
        (void)thread_sleep(clock_ns() + next_random(&random) % OPEN_NS);
        (void)port_close(port);
    }
}

static void be_caller(void)
{
    uint32_t random = seed;

    while (__atomic_load_n(&requests, __ATOMIC_RELAXED) < LEDGER_REQUESTS) {
        make_request(random_depth(&random), &random);
        do_something(&random);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        printf("call-user caller|server LIFE SERVER SEED\n");
        return 2;
    }
    life = (uint32_t)strtoul(argv[2], NULL, 10);
    seed = (uint32_t)strtoul(argv[4], NULL, 10);
    for (uint32_t i = 0; i < SERVERS; i++) {
        servers[i] = HANDLE_NONE;
    }
    status_t status = lookup_find(LEDGER_NAME, &ledger);
    if (status != OK) {
        complain(LEDGER_NAME, status);
    }
    if (strcmp(argv[1], "server") == 0) {
        be_server((uint32_t)strtoul(argv[3], NULL, 10));
    } else {
        be_caller();
    }
    return 0;
}
