/* SPDX-License-Identifier: MIT */
/*
 * This program and others: the client side of procmgr, archive and monitor.
 *
 * Rules: errors are those of the services' protocol.h and of port_call. Each call looks its
 * service up, so none of them is for a fast path.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/rights.h"
#include "kernel/abi/status.h"

/* The handles that every program starts with. */
handle_t program_lookup_port(void);
handle_t program_own_domain(void);

/* Of all device memory, to be sliced (memory.h): only init has it; HANDLE_NONE for others. */
handle_t program_device_memory(void);

struct program {
    handle_t domain;
    uint64_t id;
};

/* Starts the program `name` of the archive with `argc` arguments (argv[0] is the first).
 * ERR_INVALID also when they are too many or too long together. */
status_t program_start(const char *name, int argc, const char *const *argv,
                       struct program *program);

/* The same, and says which names it may register: patterns with a blank between them (services/procmgr/protocol.h),
 * NULL for the same as this program, which program_start gives. ERR_DENIED: this program may not itself. */
status_t program_start_with(const char *name, int argc, const char *const *argv,
                            const char *may_register, struct program *program);

/* Waits for its end, closes the handle and returns the exit code, or a negative error. */
int64_t program_wait(struct program *program);

/* Ends a domain by id. */
status_t program_kill(uint64_t id);

/* The file with that index: its name, cut to `bytes` with its zero, and its size. */
status_t archive_list(uint64_t index, char *name, size_t bytes, uint64_t *size);

/* Reads up to `bytes` at `offset`; returns how many, 0 at the end, or a negative error. */
int64_t archive_read(const char *name, uint64_t offset, void *buffer, size_t bytes);

/* Reads one row of a table of services/monitor/protocol.h into `row`. */
status_t monitor_read(uint32_t label, uint64_t index, void *row, size_t bytes);

/* "no such name, file, program ..." for a negative status, "ok" for OK. */
const char *status_text(status_t status);
