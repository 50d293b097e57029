/* SPDX-License-Identifier: MIT */
/* A server with a mailbox and a thread of its own: mailbox-server NAME serves NAME; protocol.h says what. */
#include "user/programs/mailbox-server/protocol.h"

#include "user/lib/baton.h"

static uint64_t kept;

static void answer(struct delivery *call, status_t status, unsigned words)
{
    call->message.tag = MESSAGE_TAG((uint32_t)status, words);
}

/* What is not an echo; call->token is 0 afterwards if there is no reply yet. */
static void serve(handle_t port, struct delivery *call)
{
    struct message message = {.tag = MESSAGE_TAG(OK, 0)};

    switch (message_label(call->message.tag)) {
    case MAILBOX_KEEP:
        kept = call->token;
        call->token = 0;
        break;
    case MAILBOX_LET_GO:
        answer(call, mailbox_reply(kept, &message), 0);
        break;
    case MAILBOX_EXIT:
        domain_exit(7);
    case MAILBOX_REPLY:
        answer(call, mailbox_reply(call->message.word[0], &message), 0);
        break;
    case MAILBOX_CLOSE:
        port_close(port);
        answer(call, OK, 0);
        mailbox_reply(call->token, &call->message);
        domain_exit(0);
    case MAILBOX_MIGRATE:
        answer(call, thread_migrate(call->message.word[0]), 0);
        break;
    case MAILBOX_BADGE:
        call->message.word[0] = call->badge;
        call->message.word[1] = call->token;
        answer(call, OK, 2);
        break;
    default:
        answer(call, ERR_UNKNOWN_CALL, 0);
        break;
    }
}

/* Serves until there is something else than an echo. Apart, so that an echo stays in registers. */
__attribute__((noinline)) static status_t receive_other(handle_t port, struct delivery *call)
{
    struct delivery next = *call;
    status_t status;

    for (;;) {
        status = mailbox_reply_receive(port, &next, DEADLINE_NONE);
        if (status != OK || message_label(next.message.tag) != MAILBOX_ECHO) {
            break;
        }
        next.message.tag = MESSAGE_TAG(OK, message_words(next.message.tag));
    }
    *call = next;
    return status;
}

int main(int argc, char **argv)
{
    int64_t port = port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
    struct delivery call = {.token = 0};

    if (argc != 2 || port < 0 || lookup_register(argv[1], (handle_t)port) != OK) {
        return 1;
    }
    for (;;) {
        if (receive_other((handle_t)port, &call) != OK) {
            return 1;
        }
        serve((handle_t)port, &call);
    }
}
