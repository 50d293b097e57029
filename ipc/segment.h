/* SPDX-License-Identifier: MIT */
/*
 * Copies from one user's memory to another's, in one step through the direct map.
 *
 * Rules: thread context, interrupts on, nothing locked; who calls keeps both spaces from ending. First both
 * ranges are settled, then copied; a page that is taken away in between is looked for once more, but for no pager.
 * Interrupts are off for one page at a time.
 */
#pragma once

#include "kernel/abi/message.h"
#include "kernel/abi/status.h"
#include "mm/vspace.h"

static inline bool segment_is_in_range(const struct message_segment *range)
{
    return range->bytes == 0 || (range->address >= USER_BASE && range->address < USER_TOP &&
                                 range->bytes <= USER_TOP - range->address);
}

/* Does it lie in more than one page? */
static inline bool segment_spans(const struct message_segment *range)
{
    return range->bytes > PAGE_BYTES - range->address % PAGE_BYTES;
}

/*
 * Makes every page of a range be there with this protection. May block on the space's pager.
 * ERR_FAULT: it overflows, leaves user space, or is not mapped so, or a device's. ERR_NO_MEMORY,
 * ERR_CANCELLED, ERR_DEPTH: as arch/usercopy.h. 0 bytes are always there.
 */
WARN_UNUSED status_t segment_settle(struct vspace *space, const struct message_segment *range,
                                    uint32_t protection);

/* Copies between two ranges, which are in user space, and settled unless both lie in one page each. ERR_FAULT, ERR_NO_MEMORY: a page was taken away meanwhile and cannot be had again; what
 * is before it may have been copied. */
WARN_UNUSED status_t segment_copy(struct vspace *from_space, vaddr_t from, struct vspace *to_space,
                                  vaddr_t to, uint64_t bytes);

/* The same for ranges of one length that nobody has looked at: false, and nothing is copied, if any of it is not in
 * user space, in one page on each side, and there. Never blocks. */
WARN_UNUSED bool segment_copy_page(struct vspace *from_space, const struct message_segment *from,
                                   struct vspace *to_space, const struct message_segment *to);
