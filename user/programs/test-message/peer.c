/* SPDX-License-Identifier: MIT */
#include "user/programs/test-message/peer.h"

#include <stddef.h>
#include <string.h>

#include "services/monitor/protocol.h"

static struct program program;
static handle_t port;

handle_t peer_port(void)
{
    static const char *const argv[] = {"message-peer", "test-message.peer"};

    if (port == HANDLE_NONE && test_peer(argv[1], 2, argv, &program, &port) != OK) {
        port = HANDLE_NONE;
    }
    return port;
}

void peer_forget(void)
{
    (void)program_kill(program.id);
    (void)program_wait(&program);
    (void)handle_close(port);
    port = HANDLE_NONE;
}

handle_t peer_domain(void)
{
    return program.domain;
}

status_t peer_ask(uint32_t label, uint64_t word0, uint64_t word1, uint64_t word2)
{
    struct message message = {.tag = MESSAGE_TAG(label, 3), .word = {word0, word1, word2}};

    return port_request(peer_port(), &message);
}

void peer_set_window(uint32_t n, enum message_peer_window kind, uint64_t bytes)
{
    EXPECT_EQUAL(peer_ask(MESSAGE_PEER_WINDOW, n, kind, bytes), OK);
}

uint64_t peer_handles(void)
{
    struct monitor_domain row;
    handle_t monitor;
    uint64_t handles = 0;

    if (lookup_find("monitor", &monitor) != OK) {
        return 0;
    }
    for (uint64_t i = 0; handles == 0; i++) {
        struct message message = {.tag = MESSAGE_TAG(MONITOR_DOMAIN, 3),
                                  .word = {i, (uintptr_t)&row, sizeof(row)}};

        if (port_request(monitor, &message) != OK) {
            break;
        }
        if (row.id == program.id) {
            handles = row.handles;
        }
    }
    handle_close(monitor);
    return handles;
}
