/* SPDX-License-Identifier: MIT */
#include "user/programs/shell/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "services/monitor/protocol.h"
#include "user/lib/baton.h"

/* Asks the monitor for something that does not come back; says so when it does. */
static void ask(struct message message)
{
    handle_t port;
    status_t status = lookup_find("monitor", &port);

    fflush(stdout);
    if (status == OK) {
        status = port_request(port, &message);
        handle_close(port);
    }
    printf("monitor: %s\n", status_text(status));
}

static void panic(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    ask((struct message){.tag = MESSAGE_TAG(MONITOR_PANIC, 0)});
}

static void poweroff(int argc, char **argv)
{
    char *end = NULL;
    uint64_t code = argc > 1 ? strtoull(argv[1], &end, 0) : 0;

    if (argc > 2 || (end != NULL && (*end != '\0' || end == argv[1]))) {
        printf("poweroff: one number from 0 to 255, or nothing\n");
        return;
    }
    ask((struct message){.tag = MESSAGE_TAG(MONITOR_POWEROFF, 1), .word = {code}});
}

const struct command commands_power[] = {
    {"panic", "", "panic the kernel on purpose", 0, panic},
    {"poweroff", "[CODE]", "end the machine", 0, poweroff},
    {.name = NULL},
};
