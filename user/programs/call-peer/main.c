/* SPDX-License-Identifier: MIT */
/* A server for tests: call-peer NAME [NEXT [RUNS]] serves NAME, for RUNS callers at once, and forwards to
 * the port NEXT; "-": to nobody. A client: call-peer - NEXT ask [MS] calls NEXT once, within MS, and ends
 * with the negated status; call-peer - NEXT write calls NEXT, and then lets the kernel read where nothing is. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/baton.h"
#include "user/lib/fpu_probe.h"
#include "user/programs/call-peer/protocol.h"

/* How often a nap looks whether it is over. */
#define NAP_NS 1000000UL

static handle_t next_port;

static void forward(struct message *message)
{
    status_t status = OK;

    if (next_port != HANDLE_NONE) {
        status = port_request(next_port, message);
    }
    message->word[0]++;
    service_reply(message, status, 1);
}

static void migrate(struct message *message)
{
    status_t status = thread_migrate(message->word[0]);

    message->word[0] = (uint64_t)thread_core();
    service_reply(message, status, 1);
}

static uint64_t ended;
static bool let_go; /* naps and spins end now; atomic */

static void release(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    (void)badge;
    __atomic_store_n(&let_go, true, __ATOMIC_RELAXED); /* nothing goes with it */
    service_reply(message, OK, 0);
}

static bool goes_on(uint64_t until)
{
    return clock_ns() < until && !__atomic_load_n(&let_go, __ATOMIC_RELAXED);
}

static void nap(struct message *message)
{
    status_t status = OK;

    while (status == OK && goes_on(message->word[0])) {
        uint64_t next = clock_ns() + NAP_NS;

        status = thread_sleep(next < message->word[0] ? next : message->word[0]);
    }
    message->word[0] = ++ended;
    service_reply(message, status, 1);
}

static void spin(struct message *message)
{
    while (goes_on(message->word[0])) {
    }
    message->word[0] = ++ended;
    service_reply(message, OK, 1);
}

static void relay(struct message *message)
{
    struct message next = {.tag = MESSAGE_TAG(message->word[1], 1), .word = {message->word[0]}};
    status_t status = port_call_until(next_port, &next, message->word[2]);

    message->word[0] = next.word[0];
    service_reply(message, status == OK ? message_status(&next) : status, 1);
}

static void fault(void)
{
    uint64_t *nowhere = NULL;

    __asm__("" : "+r"(nowhere));
    *(volatile uint64_t *)nowhere = 1;
}

static void serve(void *context, uint64_t badge, struct message *message)
{
    uint64_t fpu_bits = fpu_probe_or_all();

    (void)context;
    switch (message_label(message->tag)) {
    case PEER_ECHO:
        service_reply(message, OK, message_words(message->tag));
        break;
    case PEER_SLEEP:
        service_reply(message, thread_sleep(DEADLINE_NONE), 0);
        break;
    case PEER_EXIT:
        domain_exit(7);
    case PEER_FORWARD:
        forward(message);
        break;
    case PEER_FAULT:
        fault();
        break;
    case PEER_FPU:
        fpu_probe_scribble();
        message->word[0] = fpu_bits;
        service_reply(message, OK, 1);
        break;
    case PEER_BADGE:
        message->word[0] = badge;
        service_reply(message, OK, 1);
        break;
    case PEER_MIGRATE:
        migrate(message);
        break;
    case PEER_NAP:
        nap(message);
        break;
    case PEER_SPIN:
        spin(message);
        break;
    case PEER_RELAY:
        relay(message);
        break;
    case PEER_COUNT:
        message->word[0] = ended;
        service_reply(message, OK, 1);
        break;
    default:
        service_reply(message, ERR_UNKNOWN_CALL, 0);
        break;
    }
}

static int ask(uint64_t ms)
{
    struct message message = {.tag = MESSAGE_TAG(PEER_ECHO, 1), .word = {(uintptr_t)&next_port}};
    uint64_t deadline = ms == 0 ? DEADLINE_NONE : clock_ns() + ms * 1000000UL;

    return (int)-port_call_until(next_port, &message, deadline);
}

/* Where no program has anything. */
#define NOWHERE (USER_BASE + 0x2000000000UL)

/* A port beside the one that may be busy: any call to NAME.go ends naps and spins. */
static status_t serve_release(const char *name)
{
    char go[MAX_NAME_BYTES + 1];
    handle_t port;
    status_t status = service_create(release, NULL, &port);

    (void)snprintf(go, sizeof(go), "%s.go", name);
    return status == OK ? lookup_register(go, port) : status;
}

int main(int argc, char **argv)
{
    handle_t port;

    if (argc < 2 ||
        (argc > 2 && strcmp(argv[2], "-") != 0 && lookup_find(argv[2], &next_port) != OK)) {
        printf("call-peer NAME [NEXT [RUNS]]\n");
        return 2;
    }
    if (argc > 3 && strcmp(argv[3], "ask") == 0) {
        return ask(argc > 4 ? strtoul(argv[4], NULL, 0) : 0);
    }
    if (argc > 3 && strcmp(argv[3], "write") == 0) {
        (void)ask(0);
        return (int)-debug_write((const char *)NOWHERE, 8);
    }
    status_t status =
        argc > 3
            ? service_create_concurrent(serve, NULL, (uint32_t)strtoul(argv[3], NULL, 0), &port)
            : service_create(serve, NULL, &port);

    if (status != OK || serve_release(argv[1]) != OK || lookup_register(argv[1], port) != OK) {
        printf("call-peer: cannot serve %s\n", argv[1]);
        return 1;
    }
    for (;;) {
        thread_sleep(DEADLINE_NONE);
    }
}
