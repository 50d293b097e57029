/* SPDX-License-Identifier: MIT */
/*
 * The monitor service: rows of the kernel's tables for `ps` and its like, and the ends of the
 * machine that a person may ask for.
 */
#include "arch/layout.h"
#include "arch/power.h"
#include "ipc/operation.h"
#include "sched/upcall.h"
#include "mm/frame.h"
#include "mm/kstack.h"
#include "mm/spmalloc.h"
#include "services/monitor/monitor_priv.h"

/* The buffer has to hold the whole row. */
static status_t give_row(const struct request *request, uint64_t address, uint64_t room,
                         const void *row, size_t bytes)
{
    return room < bytes ? ERR_INVALID : request_copy_out(request, address, row, bytes);
}

#define DEFINE_TABLE(table)                                                                        \
    static status_t give_##table(struct request *request)                                          \
    {                                                                                              \
        const uint64_t *word = request->message->word;                                             \
        struct monitor_##table row = {0};                                                          \
        status_t status = monitor_fill_##table(word[0], &row);                                     \
                                                                                                   \
        return status == OK ? give_row(request, word[1], word[2], &row, sizeof(row)) : status;     \
    }

DEFINE_TABLE(domain)
DEFINE_TABLE(thread)
DEFINE_TABLE(port)
DEFINE_TABLE(core)
DEFINE_TABLE(node)
DEFINE_TABLE(nexus)
DEFINE_TABLE(class)
DEFINE_TABLE(account)

static status_t give_memory(struct request *request)
{
    const uint64_t *word = request->message->word;
    struct monitor_memory row = {
        .total_bytes = frame_total_pages() * PAGE_BYTES,
        .free_bytes = frame_free_pages() * PAGE_BYTES,
        .heap_bytes = spmalloc_pages() * PAGE_BYTES,
        .stack_bytes = kstack_count() * KSTACK_MAPPED_PAGES * PAGE_BYTES,
    };

    return give_row(request, word[0], word[1], &row, sizeof(row));
}

static status_t panic_now(struct request *request)
{
    (void)request;
    upcall_panic("asked for through the monitor service");
}

static status_t power_off(struct request *request)
{
    uint64_t code = request->message->word[0];

    if (code > 255) {
        return ERR_INVALID;
    }
    power_exit((unsigned)code);
}

static const struct operation operations[] = {
    {MONITOR_DOMAIN, 3, 0, give_domain},   {MONITOR_THREAD, 3, 0, give_thread},
    {MONITOR_PORT, 3, 0, give_port},       {MONITOR_CORE, 3, 0, give_core},
    {MONITOR_MEMORY, 2, 0, give_memory},   {MONITOR_PANIC, 0, 0, panic_now},
    {MONITOR_POWEROFF, 1, 0, power_off},   {MONITOR_NODE, 3, 0, give_node},
    {MONITOR_ACCOUNT, 3, 0, give_account}, {MONITOR_NEXUS, 3, 0, give_nexus},
    {MONITOR_CLASS, 3, 0, give_class},
};

static void monitor_handle(struct request *request)
{
    operation_dispatch(request, operations, ARRAY_SIZE(operations));
}

SERVICE(monitor_service) = {
    .name = "monitor",
    .handle = monitor_handle,
};
