/* SPDX-License-Identifier: MIT */
/*
 * Address space identifiers: which are in use.
 *
 * Rules: asid_init once, after mmu_init; the rest in any context, never blocks. 0 is the
 * kernel's and means "none". Source: RISC-V privileged specification, section "Supervisor
 * address translation and protection register" (satp.ASID, ASIDMAX).
 */
#pragma once

#include "kernel/base/types.h"

/* Identifiers 1 .. max are for use. */
void asid_init(uint16_t max);

/* One that nobody uses and no TLB knows, or 0 when there is none. */
WARN_UNUSED uint16_t asid_alloc(void);

/* Gives it back; the caller has flushed it from all cores. */
void asid_free(uint16_t asid);
