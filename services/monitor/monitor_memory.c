/* SPDX-License-Identifier: MIT */
#include "arch/layout.h"
#include "arch/platform.h"
#include "mm/frame_counters.h"
#include "mm/nexus.h"
#include "mm/spmalloc_survey.h"
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

static void fill_large(const struct spmalloc_survey *survey, struct monitor_class *row)
{
    row->slabs = survey->large_pages;
    row->objects = survey->large_objects;
    row->capacity = survey->large_objects;
}

status_t monitor_fill_class(uint64_t index, struct monitor_class *row)
{
    struct spmalloc_survey survey;

    if (index > SPMALLOC_CLASSES) {
        return ERR_NOT_FOUND;
    }
    spmalloc_survey(&survey);
    row->version = MONITOR_ROW_VERSION;
    if (index == SPMALLOC_CLASSES) {
        fill_large(&survey, row);
        return OK;
    }
    const struct spmalloc_class_survey *found = &survey.size_class[index];
    row->object_bytes = spmalloc_survey_bytes((unsigned)index);
    row->slabs = found->slabs;
    row->objects = found->objects;
    row->capacity = found->capacity;
    row->waste_bytes = found->slabs * PAGE_BYTES - found->objects * row->object_bytes;
    return OK;
}
