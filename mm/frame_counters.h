/* SPDX-License-Identifier: MIT */
/*
 * What a NUMA node's frame allocator holds; for the monitor.
 *
 * Rules: after frame_init. Thread context; takes the node's lock for a moment.
 */
#pragma once

#include "mm/frame.h"

struct frame_counters {
    uint64_t total_pages;
    uint64_t free_pages; /* the reserve included */
    uint64_t reserve_pages;
    uint64_t blocks[FRAME_MAX_ORDER + 1]; /* free ones, by order */
};

/* False when there is no node of that number; *counters is then untouched. */
WARN_UNUSED bool frame_get_counters(uint32_t node, struct frame_counters *counters);
