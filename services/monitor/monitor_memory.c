/* SPDX-License-Identifier: MIT */
#include "mm/frame_counters.h"
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
