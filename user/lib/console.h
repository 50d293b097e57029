/* SPDX-License-Identifier: MIT */
/*
 * The serial line: the client side of the console services.
 *
 * Rules: stdout and stderr end here (a line at a time, a buffer a thread), stdin begins here.
 * Without a console service, output goes to the kernel's log.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/status.h"

/* Writes all `bytes`; up to CONSOLE_WRITE_MAX of them come out together. ERR_FAULT. */
status_t console_write(const void *buffer, size_t bytes);

/* Waits for input and returns how many bytes came (1 to `bytes`), or a negative error. */
int64_t console_read(void *buffer, size_t bytes);
