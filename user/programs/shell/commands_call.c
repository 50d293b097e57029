/* SPDX-License-Identifier: MIT */
#include "user/programs/shell/commands.h"

#include <stdbool.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/baton.h"
#include "user/lib/glob.h"

#define CALL_LABEL 1 /* every protocol's first operation */

/* `call lookup NAME`: the operation takes a name, not numbers. */
static void call_lookup(const char *name)
{
    handle_t port;
    status_t status = lookup_find(name, &port);

    if (status != OK) {
        printf("lookup: %s: %s\n", name, status_text(status));
        return;
    }
    printf("lookup: %s is handle 0x%" PRIx64 "\n", name, port);
    handle_close(port);
}

static bool parse_words(int count, char **texts, struct message *message)
{
    message->tag = MESSAGE_TAG(CALL_LABEL, (unsigned)count);
    for (int i = 0; i < count; i++) {
        char *end;

        message->word[i] = strtoull(texts[i], &end, 0);
        if (*end != '\0') {
            printf("call: %s is not a number\n", texts[i]);
            return false;
        }
    }
    return true;
}

static void print_reply(const char *name, const struct message *reply)
{
    uint32_t words = message_words(reply->tag);

    printf("%s: %s", name, status_text(message_status(reply)));
    for (uint32_t i = 0; i < words && i < MESSAGE_REGISTER_WORDS; i++) {
        printf(" %" PRIu64, reply->word[i]);
    }
    printf("\n");
}

static void call(int argc, char **argv)
{
    const char *name = argv[1];
    struct message message = {.tag = 0};
    handle_t port;

    if (strcmp(name, "lookup") == 0 && argc == 3) {
        call_lookup(argv[2]);
        return;
    }
    if (argc - 2 > MESSAGE_REGISTER_WORDS) {
        printf("call: at most %d numbers\n", MESSAGE_REGISTER_WORDS);
        return;
    }
    if (!parse_words(argc - 2, argv + 2, &message)) {
        return;
    }
    status_t status = lookup_find(name, &port);

    if (status != OK) {
        printf("lookup: %s: %s\n", name, status_text(status));
        return;
    }
    status = port_call(port, &message);
    handle_close(port);
    if (status != OK) {
        printf("%s: the call failed: %s\n", name, status_text(status));
    } else {
        print_reply(name, &message);
    }
}

static void names(int argc, char **argv)
{
    static struct lookup_row rows[LOOKUP_ROWS_MAX];
    uint64_t count;

    (void)argc;
    (void)argv;
    printf("port  domain  name\n");
    for (const char *after = "";
         lookup_list(after, rows, LOOKUP_ROWS_MAX, &count) == OK && count > 0;
         after = rows[count - 1].name) {
        for (uint64_t i = 0; i < count; i++) {
            printf("%4" PRIu32 "  %6" PRIu32 "  %.*s\n", rows[i].port, rows[i].domain,
                   MAX_NAME_BYTES, rows[i].name);
        }
    }
}

static void print_names_like(const char *pattern)
{
    struct lookup_row row;
    uint64_t count;

    for (const char *after = ""; lookup_list(after, &row, 1, &count) == OK && count > 0;
         after = row.name) {
        char name[MAX_NAME_BYTES + 1] = {0};

        memcpy(name, row.name, MAX_NAME_BYTES);
        if (glob_match(pattern, name)) {
            printf("%4" PRIu32 "  %6" PRIu32 "  %s\n", row.port, row.domain, name);
        }
    }
}

/* Prints what matches, now and after each change, until so many seconds are over. */
static void watch(int argc, char **argv)
{
    uint64_t end = clock_ns() + (argc > 2 ? strtoull(argv[2], NULL, 0) : 10) * 1000000000;
    int64_t notification = notification_create();
    status_t status =
        notification < 0 ? notification : lookup_watch(argv[1], (handle_t)notification, 1);
    uint64_t bits;

    while (status == OK) {
        print_names_like(argv[1]);
        status = notification_wait((handle_t)notification, 1, end, &bits);
        if (status == OK) {
            printf("a name like %s came or went:\n", argv[1]);
        }
    }
    if (status != ERR_TIMED_OUT) {
        printf("watch: %s: %s\n", argv[1], status_text(status));
    }
    if (notification >= 0) {
        port_close((handle_t)notification);
    }
}

static void echo(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        printf("%s%s", i > 1 ? " " : "", argv[i]);
    }
    printf("\n");
}

const struct command commands_call[] = {
    {"names", "", "the names that lookup knows: port, owner, name", 0, names},
    {"watch", "PATTERN [SECONDS]", "names like that, whenever one comes or goes", 1, watch},
    {"call", "NAME [NUMBER...]", "call a service; or: call lookup NAME", 1, call},
    {"echo", "[WORD...]", "print the words", 0, echo},
    {.name = NULL},
};
