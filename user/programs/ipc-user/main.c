/* SPDX-License-Identifier: MIT */
/*
 * A client or a server of the torture of messages: ipc-user client|server LIFE SERVER SEED.
 *
 * Both live until they are killed, or a client has used up its numbers, or a server has opened its port often enough. Ends
 * with 1 when something gave an answer that it may not give.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/programs/ipc-user/protocol.h"

static handle_t ledger;

void complain(const char *what, int64_t status)
{
    printf("ipc-user: %s: %s\n", what, status_text((status_t)status));
    domain_exit(1);
}

void port_name(uint32_t port, char name[TORTURE_NAME_BYTES])
{
    snprintf(name, TORTURE_NAME_BYTES, "torture/i%u", (unsigned)port);
}

status_t note_run(uint64_t request)
{
    struct message message = {.tag = MESSAGE_TAG(LEDGER_RUN, 1), .word = {request}};

    return port_request(ledger, &message);
}

void note_outcome(enum request_kind kind, uint64_t request, status_t status, uint64_t reply)
{
    struct message message = {.tag = MESSAGE_TAG(LEDGER_OUTCOME, 4),
                              .word = {request, (uint64_t)(int64_t)status, reply, kind}};
    status_t noted = port_request(ledger, &message);

    if (noted != OK && noted != ERR_CANCELLED) {
        complain("the ledger", noted);
    }
}

void dawdle(uint32_t *random)
{
    switch (next_random(random) % 32) {
    case 0:
        (void)thread_sleep(clock_ns() + next_random(random) % 300000);
        break;
    case 1: {
        uint64_t end = clock_ns() + next_random(random) % 100000;

        while (clock_ns() < end) {
        }
        break;
    }
    case 2:
        (void)thread_yield();
        break;
    case 3:
        (void)thread_migrate(next_random(random) % 8);
        break;
    default:
        break;
    }
}

void run_request(struct message *message)
{
    uint64_t request = message->word[0];
    uint32_t random = (uint32_t)message->word[1];
    status_t status = note_run(request);

    dawdle(&random);
    message->word[0] = request ^ SERVER_SEAL;
    service_reply(message, status, 1);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        printf("ipc-user client|server LIFE SERVER SEED\n");
        return 2;
    }
    uint32_t seed = (uint32_t)strtoul(argv[4], NULL, 10);
    status_t status = lookup_find(LEDGER_NAME, &ledger);

    if (status != OK) {
        complain(LEDGER_NAME, status);
    }
    if (strcmp(argv[1], "server") == 0) {
        be_server((uint32_t)strtoul(argv[3], NULL, 10), seed);
    } else {
        be_client((uint32_t)strtoul(argv[2], NULL, 10), seed);
    }
    return 0;
}
