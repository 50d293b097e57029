/* SPDX-License-Identifier: MIT */
/*
 * The echo service: a handler without any knowledge of where it is placed.
 *
 * Rules: it runs as an exclusive service, so its state needs no lock. It cannot fail and does
 * not block. It is in a header so that each placement compiles it into its own entry.
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/message.h"
#include "kernel/abi/status.h"
#include "services/echo/protocol.h"

struct echo {
    uint64_t served; /* calls so far; only the baton's holder touches it */
};

/* Serves one call: `context` is the struct echo, `message` the request and then the reply. */
static inline void echo_handle(void *context, uint64_t badge, struct message *message)
{
    struct echo *echo = context;

    (void)badge;
    switch (message_label(message->tag)) {
    case ECHO_WORDS:
        message->tag = MESSAGE_TAG(OK, message_words(message->tag));
        break;
    case ECHO_COUNT:
        message->word[0] = echo->served;
        message->tag = MESSAGE_TAG(OK, 1);
        break;
    default:
        message->tag = MESSAGE_TAG((uint32_t)ERR_UNKNOWN_CALL, 0);
        break;
    }
    echo->served++;
}
