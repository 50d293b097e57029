/* SPDX-License-Identifier: MIT */
/*
 * Shared by the panic path and the trap report.
 *
 * Rules: prints through print(); takes no lock of its own.
 */
#pragma once

#include "kernel/base/types.h"

/* One line an address, with its symbol; entries after the first are return addresses. */
void report_backtrace(const vaddr_t *trace, unsigned count);

/* "core 1 (hart 3), thread ..." and a line feed. */
void report_place(void);
