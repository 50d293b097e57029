/* SPDX-License-Identifier: MIT */
#include "user/programs/test-call/peer.h"

#include <stddef.h>

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

status_t peer_ask(handle_t port, uint32_t label, uint64_t *word)
{
    struct message message = {.tag = MESSAGE_TAG(label, 1), .word = {*word}};
    status_t status = port_request(port, &message);

    if (status == OK) {
        *word = message.word[0];
    }
    return status;
}
