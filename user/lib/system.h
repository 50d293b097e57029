/* SPDX-License-Identifier: MIT */
/*
 * The system calls about memory, time and the kernel's log.
 *
 * Rules: an address given to a memory call is a multiple of PAGE_BYTES; they never block for long.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/status.h"
#include "kernel/abi/syscall.h"

/* SYS_NULL: does nothing; always OK. It exists to be measured. */
status_t system_null(void);

/*
 * SYS_MEMORY_MAP: maps `bytes` (rounded up to pages) of zeroed memory at `address`, or, when it
 * is 0, where there is room with an unmapped page on each side, and returns the address.
 * `protection`: PROTECT_READ (implied), and one of PROTECT_WRITE and PROTECT_EXECUTE or none.
 * The pages are charged to the domain. ERR_INVALID: bytes is 0, the address is no multiple of
 * the page size, the range is outside user addresses (also when the sum overflows), unknown
 * protection bits, or writable and executable. ERR_EXISTS: something is mapped in the range.
 * ERR_NO_SPACE: no free range. ERR_NO_MEMORY: no memory, or the quota is used up.
 */
int64_t memory_map(void *address, size_t bytes, uint64_t protection);

/*
 * SYS_MEMORY_UNMAP: takes away `bytes` (rounded up to pages) at `address`, which may be a part
 * of what a memory_map gave, or several; on return no core can reach the memory any more.
 * ERR_INVALID: as above. ERR_NOT_FOUND: some page of it is not mapped. ERR_NO_MEMORY: a mapping
 * has to be split and there is no room to note it. After an error nothing is changed.
 */
status_t memory_unmap(void *address, size_t bytes);

/*
 * SYS_DEBUG_WRITE: writes up to 256 bytes to the kernel's log. For programs that run before the
 * console does. ERR_INVALID: more bytes. ERR_FAULT: a byte is not mapped; nothing is written.
 */
status_t debug_write(const void *address, size_t bytes);

/* SYS_CLOCK: nanoseconds since boot; never goes back. No errors. */
uint64_t clock_ns(void);
