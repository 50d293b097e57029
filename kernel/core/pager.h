/* SPDX-License-Identifier: MIT */
/*
 * Faults that only a domain's pager can settle.
 *
 * Rules: thread context, interrupts on, nothing locked; the call runs the pager's service on this thread
 * and may block.
 */
#pragma once

#include "mm/vspace.h"

/*
 * Asks the pager of the space about a touch of `address` and maps what it gives. OK: try again; the page is
 * there, or the pager said so. ERR_FAULT: no pager, it is dead, or its answer does not help. ERR_CANCELLED: this thread is
 * to end. ERR_DEPTH: too little kernel stack for another call. ERR_NO_MEMORY.
 */
WARN_UNUSED status_t pager_ask(struct vspace *space, vaddr_t address, uint32_t access, vaddr_t pc);
