/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of devices as signals of notifications.
 *
 * Rules: a line is bound to one notification, which it keeps. When it fires it signals and is masked until it is
 * acknowledged, so a driver is never interrupted by a device that it has not looked after. A line fires on the
 * core on which it was bound, if that is wired to the controller. The console's line is the kernel's.
 */
#pragma once

#include "ipc/notification.h"
#include "kernel/abi/status.h"

/* Signal `bits` when `line` fires; NULL: nothing, and the line is off. ERR_INVALID: no such line, no bits. ERR_EXISTS: the
 * kernel's, or bound to an open notification. Thread context; the caller has a reference. */
WARN_UNUSED status_t interrupt_bind(uint64_t line, struct notification *notification,
                                    uint64_t bits);

/* The device was looked after: let the line fire again. OK also if it is not masked. ERR_INVALID: no such line.
 * ERR_NOT_FOUND: not bound to `notification`. */
WARN_UNUSED status_t interrupt_acknowledge(uint64_t line, const struct notification *notification);

/* Unbind what goes to notifications of a dying domain. */
void interrupt_forget(const struct domain *domain);

/* Is the line masked? For tests and listings. */
bool interrupt_is_masked(uint64_t line);
