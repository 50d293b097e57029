/* SPDX-License-Identifier: MIT */
/* Who waits for whom: threads, the port that they wait for, and the threads that run it. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "services/monitor/protocol.h"
#include "user/lib/baton.h"
#include "user/programs/shell/commands.h"

#define WAITS_MAX 128

struct wait {
    uint64_t thread;
    uint64_t holder[MAX_RUNS]; /* in no slot: nobody, at that moment */
    bool concurrent;           /* then no ring is told of */
    uint32_t port;
    char name[MAX_PROGRAM_NAME_BYTES];
    char port_name[MAX_NAME_BYTES + 1];
};

static struct wait found[WAITS_MAX];
static unsigned count;
static unsigned left_out;

/* The monitor is asked row by row, so the rows are of different moments. */
static void note_threads(void)
{
    struct monitor_thread row;

    count = left_out = 0;
    for (uint64_t i = 0; monitor_read(MONITOR_THREAD, i, &row, sizeof(row)) == OK; i++) {
        if (row.waits == MONITOR_NO_PORT) {
            continue;
        }
        if (count == WAITS_MAX) {
            left_out++;
            continue;
        }
        found[count] = (struct wait){.thread = row.id, .port = row.waits};
        memcpy(found[count].name, row.name, sizeof(row.name));
        count++;
    }
}

static void note_ports(void)
{
    struct monitor_port row;

    for (uint64_t i = 0; monitor_read(MONITOR_PORT, i, &row, sizeof(row)) == OK; i++) {
        for (unsigned at = 0; at < count; at++) {
            if (found[at].port == row.index) {
                memcpy(found[at].holder, row.holder, sizeof(row.holder));
                found[at].concurrent = row.kind == PORT_CONCURRENT;
                memcpy(found[at].port_name, row.name, sizeof(row.name));
            }
        }
    }
}

static const struct wait *wait_of(uint64_t thread)
{
    for (unsigned i = 0; i < count; i++) {
        if (found[i].thread == thread) {
            return &found[i];
        }
    }
    return NULL;
}

/* What the one that holds the baton waits for itself. */
static const struct wait *next_of(const struct wait *wait)
{
    return wait->concurrent ? NULL : wait_of(wait->holder[0]);
}

/* Does the way from holder to holder come back? */
static bool is_ring(const struct wait *wait)
{
    const struct wait *at = next_of(wait);

    for (unsigned steps = 0; at != NULL && steps < count; steps++) {
        if (at == wait) {
            return true;
        }
        at = next_of(at);
    }
    return false;
}

static void print_holders(const struct wait *wait)
{
    const char *before = "thread";

    for (unsigned i = 0; i < MAX_RUNS; i++) {
        if (wait->holder[i] != 0) {
            printf("%s %" PRIu64, before, wait->holder[i]);
            before = ",";
        }
    }
    printf("%s%s\n", before[0] == ',' ? "" : "nobody now", is_ring(wait) ? "  RING" : "");
}

static void waits(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    note_threads();
    note_ports();
    if (count == 0) {
        printf("nobody waits for a baton\n");
        return;
    }
    printf("thread  name                 waits for port                    held by\n");
    for (unsigned i = 0; i < count; i++) {
        const struct wait *wait = &found[i];

        printf("%6" PRIu64 "  %-20.32s %5" PRIu32 " %-25.64s ", wait->thread, wait->name,
               wait->port, wait->port_name);
        print_holders(wait);
    }
    if (left_out != 0) {
        printf("and %u more\n", left_out);
    }
}

const struct command commands_waits[] = {
    {"waits", "", "who waits for whose baton; rings are marked", 0, waits},
    {.name = NULL},
};
