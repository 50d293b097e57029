/* SPDX-License-Identifier: MIT */
/*
 * Inter-processor interrupts with a reason.
 *
 * Rules: never blocks, never allocates; callable with interrupts off. Asking twice before the
 * target looks delivers one interrupt with both reasons.
 */
#pragma once

#include "arch/core.h"

/* Give core `cpu` the reasons and interrupt it. `cpu` may be this core. */
void ipi_request(cpu_t cpu, uint32_t reasons);
