/* SPDX-License-Identifier: MIT */
/*
 * The first stack of a program and the startup block on it.
 *
 * Rules: thread context, before the domain's first thread starts. On error the stack may be
 * mapped and partly written; the caller throws the whole space away.
 *
 * The block, at the first thread's sp, 16-byte aligned: u64 argc; u64 argv[argc]; u64 0; u64 0
 * (the end of an empty environment). The strings lie above it. user/crt/startup.c reads it.
 */
#pragma once

#include "kernel/abi/limits.h"
#include "kernel/abi/status.h"
#include "kernel/base/types.h"
#include "mm/vspace.h"

#define STARTUP_STACK_BYTES 0x10000UL
/* One page above the stack and one below stay unmapped. */
#define STARTUP_STACK_TOP (USER_TOP - PAGE_BYTES)
#define STARTUP_STACK_BOTTOM (STARTUP_STACK_TOP - STARTUP_STACK_BYTES)
#define STARTUP_STACK_GUARD (STARTUP_STACK_BOTTOM - PAGE_BYTES)

/* True when `bytes` bytes at `strings` are at most MAX_ARGUMENTS strings and MAX_ARGUMENT_BYTES
 * bytes, each string with its zero; *count gets their number. */
bool startup_count_arguments(const char *strings, size_t bytes, uint64_t *count);

/* Map the stack and write the block for strings that were counted before; *sp gets its address.
 * ERR_NO_MEMORY. */
WARN_UNUSED status_t startup_make_stack(struct vspace *space, const char *strings, size_t bytes,
                                        uint64_t count, vaddr_t *sp);
