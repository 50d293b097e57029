/* SPDX-License-Identifier: MIT */
/*
 * A client or a server of the torture of deadlines: race-user client|server CLIENT-OR-0 SERVER SEED.
 *
 * A client calls with a deadline that passes at about the time at which the service ends. It moves the deadline:
 * earlier after an answer, later after a time-out, so that each is as likely as the other. The call ends either
 * with the answer or with ERR_TIMED_OUT and a message that nobody wrote to, which it looks at when the server has
 * told it how many runs there were: one of a race that was answered, one or none of a race that timed out, and
 * none that begins later. Ends with 1 when that is not so.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/baton.h"
#include "user/programs/race-user/protocol.h"

#define WORK_MOST_NS 40000U
#define JITTER_NS 2000U
#define STEP_NS 1000
#define LATEST_NS 5000000
#define EARLIEST_NS (-100000)

struct tally {
    uint64_t answered;
    uint64_t left_in_service;
    uint64_t left_before;
};

/* Of a server, for each client. It is exclusive. */
static uint64_t begun[RACE_CLIENTS], over[RACE_CLIENTS], newest[RACE_CLIENTS];

static uint64_t client, race;
static handle_t server;
static uint32_t seed;
static int64_t offset; /* of the deadline, from the service's end */

static void complain(const char *what, int64_t value)
{
    printf("race-user: client %u, race %u: %s: %d\n", (unsigned)client, (unsigned)race, what,
           (int)value);
    domain_exit(1);
}

static uint32_t next_random(void)
{
    seed = seed * 1664525U + 1013904223U;
    return seed >> 8;
}

/* --- server --- */

static void run(struct message *message)
{
    uint64_t who = message->word[0];
    uint64_t number = message->word[1];
    uint64_t end = message->word[2];

    begun[who]++;
    newest[who] = number;
    if (message_label(message->tag) == RACE_NAP) {
        (void)thread_sleep(end);
    }
    while (clock_ns() < end) {
    }
    message->word[0] = number ^ RACE_SEAL;
    message->word[1] = ~number;
    service_reply(message, OK, 3);
    over[who]++;
}

static void serve(void *context, uint64_t badge, struct message *message)
{
    uint64_t who = message->word[0];

    (void)context;
    (void)badge;
    if (who >= RACE_CLIENTS) {
        service_reply(message, ERR_INVALID, 0);
    } else if (message_label(message->tag) != RACE_COUNT) {
        run(message);
    } else {
        bool whole = begun[who] == over[who];

        message->word[0] = begun[who];
        message->word[2] = newest[who];
        service_reply(message, whole ? OK : ERR_INVALID, 3);
    }
}

static void be_server(const char *name, bool combining)
{
    handle_t port;
    status_t status = combining ? service_create_combining(serve, NULL, &port)
                                : service_create(serve, NULL, &port);

    if (status == OK) {
        status = lookup_register(name, port);
    }
    if (status != OK) {
        complain("the server", status);
    }
    (void)thread_sleep(DEADLINE_NONE);
}

/* --- client --- */

/* What the server has counted. The service is exclusive: no run of ours is left. */
static struct message count_runs(void)
{
    struct message message = {.tag = MESSAGE_TAG(RACE_COUNT, 1), .word = {client}};
    status_t status = port_request(server, &message);

    if (status != OK) {
        complain("the count", status);
    }
    return message;
}

static void expect(bool holds, const char *what, int64_t value)
{
    if (!holds) {
        complain(what, value);
    }
}

static void move_deadline(bool answered)
{
    offset += answered ? -STEP_NS : STEP_NS;
    offset = offset > LATEST_NS ? LATEST_NS : offset < EARLIEST_NS ? EARLIEST_NS : offset;
}

static void race_once(struct tally *tally)
{
    uint64_t end = clock_ns() + next_random() % WORK_MOST_NS;
    uint64_t deadline =
        end + (uint64_t)(offset + (int64_t)(next_random() % (2 * JITTER_NS)) - JITTER_NS);
    uint32_t label = next_random() % 4 == 0 ? RACE_NAP : RACE_SPIN;
    struct message sent = {.tag = MESSAGE_TAG(label, 3), .word = {client, ++race, end}};
    struct message message = sent;
    status_t status = port_call_until(server, &message, deadline);
    uint64_t runs = tally->answered + tally->left_in_service;

    if (status == OK) {
        expect(message_status(&message) == OK, "the answer's status", message_status(&message));
        expect(message.word[0] == (race ^ RACE_SEAL), "the answer", 0);
        expect(message.word[1] == ~race && message.word[2] == end, "the answer's rest", 0);
        tally->answered++;
    } else {
        expect(status == ERR_TIMED_OUT, "the status", status);
        expect(clock_ns() >= deadline, "too early", 0);
    }
    struct message seen = count_runs();
    bool ran = seen.word[2] == race;

    expect(seen.word[0] == runs + ran, "the number of runs", (int64_t)(seen.word[0] - runs));
    if (status == OK) {
        expect(ran, "no run", 0);
    } else {
        expect(memcmp(&message, &sent, sizeof(sent)) == 0, "an answer after the time-out", 0);
        tally->left_in_service += ran;
        tally->left_before += !ran;
    }
    move_deadline(status == OK);
}

static bool note(handle_t notes, const struct tally *tally)
{
    struct message message = {
        .tag = MESSAGE_TAG(RACE_NOTE, 4),
        .word = {client, tally->answered, tally->left_in_service, tally->left_before}};

    return port_request(notes, &message) == OK;
}

static void be_client(const char *name)
{
    struct tally tally = {0};
    handle_t notes;

    if (lookup_find(RACE_NOTES_NAME, &notes) != OK) {
        complain(RACE_NOTES_NAME, 0);
    }
    while (lookup_find(name, &server) != OK) {
        (void)thread_sleep(clock_ns() + 1000000);
    }
    do {
        for (unsigned i = 0; i < RACE_BATCH; i++) {
            race_once(&tally);
        }
    } while (note(notes, &tally));
}

int main(int argc, char **argv)
{
    char name[RACE_NAME_BYTES];

    if (argc != 5) {
        printf("race-user client|server CLIENT SERVER SEED\n");
        return 2;
    }
    unsigned index = (unsigned)strtoul(argv[3], NULL, 10);

    snprintf(name, sizeof(name), "torture/r%u", index);
    client = strtoul(argv[2], NULL, 10);
    seed = (uint32_t)strtoul(argv[4], NULL, 10);
    if (strcmp(argv[1], "server") == 0) {
        be_server(name, index % 2 == 1);
    } else {
        be_client(name);
    }
    return 0;
}
