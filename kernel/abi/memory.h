/* SPDX-License-Identifier: MIT */
/*
 * Memory objects and pagers, as user space sees them.
 *
 * Rules: numbers are part of the contract and never reused. No padding: structures are copied as they
 * are. `user/lib/memory.h` documents the calls.
 */
#pragma once

#include <stdint.h>

/* Kinds of memory object; SYS_MEMORY_CREATE makes the first two. */
enum memory_kind {
    MEMORY_ANONYMOUS = 0,  /* zeroed pages, made when they are touched */
    MEMORY_CONTIGUOUS = 1, /* zeroed pages side by side, there from the start */
    MEMORY_DEVICE = 2,     /* device registers */
};

/* What SYS_MEMORY_INFO tells. */
struct memory_info {
    uint64_t kind;
    uint64_t bytes;
    uint64_t charged_bytes; /* what its owner pays for: pages that are there, and their nodes */
    uint64_t mappings;      /* regions that map it */
};

/*
 * The request to a pager, three words: the address that was touched, the access (one of PROTECT_*), and
 * the program counter, or 0 when a system call touched it. The reply is four words: a handle of a memory
 * object in the pager's own table, the offset in it, the protection, and how many bytes to map from the page of
 * the address on (0: one page); label OK. If the page still cannot be touched, or with any other label, the
 * domain ends. Without an object (HANDLE_NONE) the access is tried again, and the pager is asked again if
 * the page is still missing: it has mapped something itself, or needs more time, which is its client's.
 */
#define PAGER_FAULT 1
