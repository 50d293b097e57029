/* SPDX-License-Identifier: MIT */
/*
 * Between the buddy allocator (frame.c) and its set-up (frame_ranges.c).
 *
 * Rules: only while booting, on one core.
 */
#pragma once

#include "kernel/sync/spinlock.h"
#include "mm/frame.h"

struct bank {
    paddr_t base;
    uint64_t pages;
    uint32_t node;
};

extern struct bank frame_banks[FRAME_MAX_BANKS];
extern unsigned frame_bank_count;

/* Forgets all memory. */
void frame_reset(void);

/* Makes the pages, which are in one bank and were not free, free. */
void frame_add_run(paddr_t start, uint64_t pages);
