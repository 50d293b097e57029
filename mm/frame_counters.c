/* SPDX-License-Identifier: MIT */
#include "mm/frame_counters.h"

#include "mm/frame_priv.h"

bool frame_get_counters(uint32_t node, struct frame_counters *counters)
{
    if (node >= frame_node_count) {
        return false;
    }
    struct frame_node *from = &frame_nodes[node];
    uint64_t state = spin_lock_save(&from->lock);

    counters->total_pages = from->total_pages;
    counters->free_pages = from->free_pages;
    counters->reserve_pages = from->reserve;
    for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
        counters->blocks[order] = from->blocks[order];
    }
    spin_unlock_restore(&from->lock, state);
    return true;
}
