/* SPDX-License-Identifier: MIT */
/*
 * The call that memory makes upwards (kernel/core/pager.c).
 *
 * Rules: thread context, interrupts on, nothing locked; may block.
 */
#pragma once

#include "kernel/abi/status.h"
#include "kernel/base/types.h"

struct vspace;

/*
 * A system call touches `address` in a way that only the space's pager may settle: asks it. OK: the page
 * is there. ERR_FAULT: there is no pager, it did not help, or the space is not that of the code that
 * runs. ERR_CANCELLED: this thread is to end. ERR_DEPTH: too little stack is left. ERR_NO_MEMORY.
 */
WARN_UNUSED status_t upcall_page_fault(struct vspace *space, vaddr_t address, uint32_t access);
