/* SPDX-License-Identifier: MIT */
#include "user/programs/test-call/peer.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "services/monitor/protocol.h"

#define START_MS 5000

status_t peer_start(struct peer *peer, const char *name, const char *next)
{
    const char *argv[] = {"call-peer", name, next};

    return test_peer(name, next == NULL ? 2 : 3, argv, &peer->program, &peer->port);
}

status_t peer_start_concurrent(struct peer *peer, const char *name, const char *runs)
{
    const char *argv[] = {"call-peer", name, "-", runs};

    return test_peer(name, 4, argv, &peer->program, &peer->port);
}

void peer_stop(struct peer *peer)
{
    EXPECT_EQUAL(program_kill(peer->program.id), OK);
    EXPECT_EQUAL(program_wait(&peer->program), EXIT_KILLED);
    EXPECT_EQUAL(handle_close(peer->port), OK);
}

int peer_ask_once(void *argument)
{
    const struct peer_ask *ask = argument;
    uint64_t word = ask->word;

    return (int)-peer_ask(ask->port, ask->label, &word);
}

bool peer_is_busy(handle_t port)
{
    struct message message = {.tag = MESSAGE_TAG(PEER_ECHO, 0)};

    return port_call_until(port, &message, DEADLINE_NOW) == ERR_WOULD_BLOCK;
}

void peer_let_go(const char *name)
{
    struct message message = {.tag = MESSAGE_TAG(0, 0)};
    char go[MAX_NAME_BYTES + 1];
    handle_t port;

    (void)snprintf(go, sizeof(go), "%s.go", name);
    ASSERT_EQUAL(lookup_find(go, &port), OK);
    EXPECT_EQUAL(port_call(port, &message), OK);
    EXPECT_EQUAL(handle_close(port), OK);
}

bool peer_wait_busy(handle_t port)
{
    uint64_t end = test_deadline_ms(START_MS);

    while (clock_ns() < end) {
        if (peer_is_busy(port)) {
            return true;
        }
        thread_yield();
    }
    return false;
}

/* Runs of the service with that name, or 0. */
static uint64_t runs_of(handle_t monitor, const char *name)
{
    struct monitor_port row;
    struct message message;

    for (uint64_t i = 0;; i++) {
        message = (struct message){.tag = MESSAGE_TAG(MONITOR_PORT, 3),
                                   .word = {i, (uintptr_t)&row, sizeof(row)}};
        if (port_request(monitor, &message) != OK) {
            return 0;
        }
        if (strncmp(row.name, name, sizeof(row.name)) == 0) {
            return row.served;
        }
    }
}

bool peer_wait_runs(const char *name, uint64_t runs)
{
    uint64_t end = test_deadline_ms(START_MS);
    handle_t monitor;
    bool begun = false;

    if (lookup_find("monitor", &monitor) != OK) {
        return false;
    }
    while (!(begun = runs_of(monitor, name) >= runs) && clock_ns() < end) {
        thread_yield();
    }
    (void)handle_close(monitor);
    return begun;
}

status_t peer_ask(handle_t port, uint32_t label, uint64_t *word)
{
    struct message message = {.tag = MESSAGE_TAG(label, 1), .word = {*word}};
    status_t status = port_request(port, &message);

    if (status == OK) {
        *word = message.word[0];
    }
    return status;
}
