/* SPDX-License-Identifier: MIT */
#include "services/echo/echo.h"

#include "kernel/abi/status.h"
#include "services/echo/protocol.h"

void echo_handle(void *context, uint64_t badge, struct message *message)
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
