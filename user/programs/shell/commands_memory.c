/* SPDX-License-Identifier: MIT */
/* The command mem: one table for each way to look at the memory. */
#include "user/programs/shell/commands.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "services/monitor/protocol.h"
#include "user/lib/baton.h"

#define KIB 1024UL
#define PAGE_KIB (PAGE_BYTES / KIB)

/* Reads row after row and prints each; says so when the monitor does not answer. */
void commands_table(uint32_t label, void *row, size_t bytes, void (*print)(const void *row))
{
    for (uint64_t index = 0;; index++) {
        status_t status = monitor_read(label, index, row, bytes);

        if (status == ERR_NOT_FOUND && index > 0) {
            return;
        }
        if (status != OK) {
            printf("monitor: %s\n", status_text(status));
            return;
        }
        print(row);
    }
}

/* A row that this program was not made for is not taken apart. */
static bool is_known(uint32_t version)
{
    if (version != MONITOR_ROW_VERSION) {
        printf("monitor: a row of version %" PRIu32 ", not %d\n", version, MONITOR_ROW_VERSION);
    }
    return version == MONITOR_ROW_VERSION;
}

static void totals(void)
{
    struct monitor_memory row;
    status_t status = monitor_read(MONITOR_MEMORY, 0, &row, sizeof(row));

    if (status != OK) {
        printf("monitor: %s\n", status_text(status));
        return;
    }
    printf("total  %10" PRIu64 " KiB\nfree   %10" PRIu64 " KiB\nheap   %10" PRIu64
           " KiB\nstacks %10" PRIu64 " KiB\n",
           row.total_bytes / KIB, row.free_bytes / KIB, row.heap_bytes / KIB,
           row.stack_bytes / KIB);
}

static void print_node(const void *row)
{
    const struct monitor_node *node = row;

    if (!is_known(node->version)) {
        return;
    }
    printf("%4" PRIu32 " %11" PRIu64 " %11" PRIu64 " %9" PRIu64, node->node,
           node->total_pages * PAGE_KIB, node->free_pages * PAGE_KIB,
           node->reserve_pages * PAGE_KIB);
    for (unsigned order = 0; order < MONITOR_ORDERS; order++) {
        printf(" %6" PRIu64, node->free_blocks[order]);
    }
    printf("\n");
}

static void nodes(void)
{
    struct monitor_node row;

    printf("node   total KiB    free KiB   reserve     4K     8K    16K    32K    64K   128K   256K"
           "   512K     1M     2M     4M\n");
    commands_table(MONITOR_NODE, &row, sizeof(row), print_node);
}

static void print_nexus(const void *row)
{
    const struct monitor_nexus *nexus = row;

    if (!is_known(nexus->version)) {
        return;
    }
    printf("%4" PRIu32 " %7" PRIu64 " %8" PRIu64 " %8" PRIu64 " %9" PRIu64 " %8" PRIu64 " %9" PRIu64
           " %9" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n",
           nexus->core, nexus->cached, nexus->in_use, nexus->waiting, nexus->outgoing,
           nexus->refills, nexus->taken, nexus->given, nexus->remote_in, nexus->remote_out);
}

static void nexuses(void)
{
    struct monitor_nexus row;

    printf("core  cached   in use  waiting  outgoing  refills     taken     given  remote in "
           "remote out\n");
    commands_table(MONITOR_NEXUS, &row, sizeof(row), print_nexus);
}

static void print_class(const void *row)
{
    const struct monitor_class *class = row;

    if (!is_known(class->version)) {
        return;
    }
    if (class->object_bytes == 0) {
        printf("larger");
    } else {
        printf("%6" PRIu32, class->object_bytes);
    }
    printf(" %9" PRIu64 " %10" PRIu64 " %10" PRIu64 " %9" PRIu64 "\n", class->slabs, class->objects,
           class->capacity, class->waste_bytes);
}

static void classes(void)
{
    struct monitor_class row;

    printf(" bytes     pages     in use   capacity     waste\n");
    commands_table(MONITOR_CLASS, &row, sizeof(row), print_class);
}

static void print_account(const void *row)
{
    const struct monitor_account *account = row;

    if (!is_known(account->version)) {
        return;
    }
    printf("%6" PRIu64 "  %-20.32s %9" PRIu64, account->domain_id, account->name, account->pages);
    if (account->page_limit == UINT64_MAX) {
        printf(" %9s", "-");
    } else {
        printf(" %9" PRIu64, account->page_limit);
    }
    printf(" %9" PRIu64 "\n", account->objects);
}

static void accounts(void)
{
    struct monitor_account row;

    printf("domain  name                     pages     limit   objects\n");
    commands_table(MONITOR_ACCOUNT, &row, sizeof(row), print_account);
}

static const struct view {
    const char *name;
    void (*show)(void);
} views[] = {{"totals", totals},
             {"nodes", nodes},
             {"nexuses", nexuses},
             {"classes", classes},
             {"accounts", accounts}};

#define VIEWS (sizeof(views) / sizeof(views[0]))

static void usage(void)
{
    printf("usage: mem [");
    for (unsigned i = 0; i < VIEWS; i++) {
        printf("%s%s", i > 0 ? "|" : "", views[i].name);
    }
    printf("]\n");
}

static void mem(int argc, char **argv)
{
    bool found = argc == 1;

    for (unsigned i = 0; i < VIEWS && argc <= 2; i++) {
        bool wanted = argc == 1 || strcmp(argv[1], views[i].name) == 0;

        if (wanted) {
            printf("%s", argc == 1 && i > 0 ? "\n" : "");
            views[i].show();
        }
        found |= wanted;
    }
    if (!found) {
        usage();
    }
}

const struct command commands_memory[] = {
    {"mem", "[VIEW]", "the memory; mem ? lists the views", 0, mem},
    {.name = NULL},
};
