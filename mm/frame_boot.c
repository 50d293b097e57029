/* SPDX-License-Identifier: MIT */
/*
 * Hands the machine's memory to the frame allocator, and the page tables of the kernel a
 * source of pages.
 */
#include "arch/mmu.h"
#include "arch/platform.h"
#include "kernel/base/types.h"
#include "mm/frame.h"

_Static_assert(PLATFORM_MAX_BANKS <= FRAME_MAX_BANKS, "every bank fits");

static paddr_t alloc_table(void)
{
    return frame_alloc_zeroed(0);
}

void frame_init(void)
{
    struct frame_range banks[PLATFORM_MAX_BANKS];
    struct frame_range reserved[PLATFORM_MAX_RESERVED];

    for (uint32_t i = 0; i < platform.bank_count; i++) {
        banks[i] = (struct frame_range){platform.banks[i].base, platform.banks[i].bytes,
                                        platform.banks[i].numa_node};
    }
    for (uint32_t i = 0; i < platform.reserved_count; i++) {
        reserved[i] =
            (struct frame_range){platform.reserved[i].base, platform.reserved[i].bytes, 0};
    }
    frame_init_ranges(banks, platform.bank_count, reserved, platform.reserved_count);
    mmu_set_table_source(alloc_table);
}
