/* SPDX-License-Identifier: MIT */
/*
 * The system calls about time and the kernel's log.
 *
 * Rules: none blocks.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/status.h"
#include "kernel/abi/syscall.h"

/* SYS_NULL: does nothing; always OK. It exists to be measured. */
status_t system_null(void);

/*
 * SYS_DEBUG_WRITE: writes up to 256 bytes to the kernel's log. For programs that run before the
 * console does. ERR_INVALID: more bytes. ERR_FAULT: a byte is not mapped; nothing is written.
 */
status_t debug_write(const void *address, size_t bytes);

/* SYS_CLOCK: nanoseconds since boot; never goes back. No errors. */
uint64_t clock_ns(void);
