/* SPDX-License-Identifier: MIT */
#include "arch/platform.h"
#include "mm/frame_counters.h"
#include "mm/nexus.h"
#include "services/monitor/monitor_priv.h"

_Static_assert(MONITOR_ORDERS == FRAME_MAX_ORDER + 1, "the row holds every order");

status_t monitor_fill_node(uint64_t index, struct monitor_node *row)
{
    struct frame_counters counters;

    if (index > UINT32_MAX || !frame_get_counters((uint32_t)index, &counters)) {
        return ERR_NOT_FOUND;
    }
    row->version = MONITOR_ROW_VERSION;
    row->node = (uint32_t)index;
    row->total_pages = counters.total_pages;
    row->free_pages = counters.free_pages;
    row->reserve_pages = counters.reserve_pages;
    for (unsigned order = 0; order < MONITOR_ORDERS; order++) {
        row->free_blocks[order] = counters.blocks[order];
    }
    return OK;
}

status_t monitor_fill_nexus(uint64_t index, struct monitor_nexus *row)
{
    struct nexus_counters counters;

    if (index >= platform.core_count) {
        return ERR_NOT_FOUND;
    }
    nexus_get_counters((cpu_t)index, &counters);
    row->version = MONITOR_ROW_VERSION;
    row->core = (uint32_t)index;
    row->cached = counters.cached;
    row->in_use = counters.in_use;
    row->waiting = counters.waiting;
    row->outgoing = counters.outgoing;
    row->refills = counters.refills;
    row->taken = counters.taken;
    row->given = counters.given;
    row->remote_in = counters.remote_in;
    row->remote_out = counters.remote_out;
    return OK;
}
