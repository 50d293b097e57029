/* SPDX-License-Identifier: MIT */
/*
 * The only way to touch user memory: copies between the kernel and an address space.
 *
 * Rules: a user pointer is a `user_addr_t`, which C will not dereference. Copies walk the page
 * tables of the given space (it need not be the current one) and go through the kernel's
 * direct map, so the hardware never lets the kernel reach user pages (SUM stays clear). They
 * take the space's lock page by page, so any thread context with interrupts on and nothing locked. A
 * page that is not there yet is made, as when the user touches it, so a copy blocks when the space's
 * pager has to be asked; only a system call of the space's own code asks it. Cost: one table walk a page.
 *
 * A range is refused with ERR_FAULT before a byte moves when it overflows, leaves
 * [USER_BASE, USER_TOP), or has a page that is not mapped with the access needed or is a device's, and with
 * ERR_NO_MEMORY when a page of it cannot be made (ERR_CANCELLED, ERR_DEPTH: its pager cannot be asked by a
 * thread that is to end, or that has too little stack left). Only when another thread unmaps the range
 * meanwhile can an error come after part of the copy.
 */
#pragma once

#include "kernel/abi/status.h"
#include "kernel/base/types.h"

struct vspace;

typedef struct {
    uint64_t address;
} user_addr_t;

static inline user_addr_t user_addr(uint64_t address)
{
    return (user_addr_t){.address = address};
}

/* True when [address, address + bytes) is inside the user half, or bytes is 0. */
bool usercopy_range_ok(user_addr_t address, size_t bytes);

/* Copies user memory to `to`. Errors as above. 0 bytes: OK, the address does not matter. */
WARN_UNUSED status_t usercopy_in(struct vspace *space, void *to, user_addr_t from, size_t bytes);

/* The same; makes no page and asks no pager, so never blocks: for reports. ERR_FAULT also for a page
 * that is not there. */
WARN_UNUSED status_t usercopy_in_try(struct vspace *space, void *to, user_addr_t from,
                                     size_t bytes);

/* Copies to writable user memory. Errors as above. */
WARN_UNUSED status_t usercopy_out(struct vspace *space, user_addr_t to, const void *from,
                                  size_t bytes);

/*
 * Copies a zero-terminated string with its zero into `to` of `size` bytes. *length (may be
 * NULL) gets the length without the zero. ERR_FAULT as above, reading no page beyond the
 * terminator; ERR_INVALID when there is no zero in `size` bytes. On error `to` holds garbage.
 */
WARN_UNUSED status_t usercopy_string(struct vspace *space, char *to, user_addr_t from, size_t size,
                                     size_t *length);
