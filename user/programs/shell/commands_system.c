/* SPDX-License-Identifier: MIT */
#include "user/programs/shell/commands.h"

#include <inttypes.h>
#include <stdio.h>

#include "services/monitor/protocol.h"
#include "user/lib/baton.h"

#define KIB 1024UL

static void print_domain(const void *row)
{
    const struct monitor_domain *domain = row;

    printf("%6" PRIu64 "  %-20.32s %7" PRIu64 " %6" PRIu64 " %8" PRIu64 " %8" PRIu64 " KiB\n",
           domain->id, domain->name, domain->threads, domain->ports, domain->handles,
           domain->pages * PAGE_BYTES / KIB);
}

static void ps(int argc, char **argv)
{
    struct monitor_domain row;

    (void)argc;
    (void)argv;
    printf("domain  name                 threads  ports  handles       memory\n");
    commands_table(MONITOR_DOMAIN, &row, sizeof(row), print_domain);
}

static void print_thread(const void *row)
{
    static const char *const states[] = {"ready", "running", "blocked", "sleeping", "ended"};
    const struct monitor_thread *thread = row;
    const char *state = thread->state <= MONITOR_THREAD_ENDED ? states[thread->state] : "unknown";

    printf("%6" PRIu64 "  %6" PRIu64 "  %-20.32s %-8s ", thread->id, thread->domain_id,
           thread->name, state);
    if (thread->priority == PRIORITY_SHARING) {
        printf("shares");
    } else {
        printf("rt %3" PRIu64, thread->priority);
    }
    printf(" %4" PRIu32 " %5" PRIu32 " %8" PRIu64 " ms\n", thread->core, thread->depth,
           thread->run_ns / 1000000);
}

static void threads(int argc, char **argv)
{
    struct monitor_thread row;

    (void)argc;
    (void)argv;
    printf("thread  domain  name                 state    class  core depth         time\n");
    commands_table(MONITOR_THREAD, &row, sizeof(row), print_thread);
}

static void print_port(const void *row)
{
    static const char *const kinds[] = {"exclusive", "mailbox", "combining",
                                        "concurrent"}; /* by PORT_ number */
    const struct monitor_port *port = row;
    char run[16];

    if (port->kind == PORT_CONCURRENT) {
        snprintf(run, sizeof(run), "%" PRIu32 "/%" PRIu64, port->busy, port->runs);
    } else {
        snprintf(run, sizeof(run), "%s", port->busy != 0 ? "busy" : "idle");
    }
    printf("%5" PRIu64 " %11" PRIu64 "  %6" PRIu64 "  %-10s %-5s %6" PRIu64 " %9" PRIu64
           "  %.64s\n",
           port->index, port->generation, port->domain_id,
           port->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[port->kind] : "?", run,
           port->queued, port->served, port->name);
}

static void ports(int argc, char **argv)
{
    struct monitor_port row;

    (void)argc;
    (void)argv;
    printf(" port  generation  domain  kind       run   queued    served  name\n");
    commands_table(MONITOR_PORT, &row, sizeof(row), print_port);
}

static void print_core(const void *row)
{
    const struct monitor_core *core = row;

    printf("%4" PRIu32 " %5" PRIu64 " %5" PRIu32 " %7" PRIu64 " %6" PRIu64 " %10" PRIu64
           " %9" PRIu64 " %11" PRIu64 "\n",
           core->core, core->hart_id, core->numa_node, core->thread_id, core->ready, core->switches,
           core->idles, core->interrupts);
}

static void cores(int argc, char **argv)
{
    struct monitor_core row;

    (void)argc;
    (void)argv;
    printf("core  hart  node  thread  ready   switches     idles  interrupts\n");
    commands_table(MONITOR_CORE, &row, sizeof(row), print_core);
}

const struct command commands_system[] = {
    {"ps", "", "the domains", 0, ps},
    {"threads", "", "the threads", 0, threads},
    {"ports", "", "the ports", 0, ports},
    {"cores", "", "the cores", 0, cores},
    {.name = NULL},
};
