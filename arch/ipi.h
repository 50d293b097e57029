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

/*
 * A loop that waits for other cores with interrupts off, and ends when an interrupt is pending: ipi_poll_begin, ipi_poll
 * until it is true or what the loop waits for has come, ipi_poll_end. In between this core's own software
 * interrupt is pending, so that wfi is only a hint: a machine goes on at once, an emulator or a hypervisor
 * lets other harts run first.
 */
void ipi_poll_begin(void);
bool ipi_poll(void);
void ipi_poll_end(void);
