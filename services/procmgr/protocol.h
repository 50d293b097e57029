/* SPDX-License-Identifier: MIT */
/*
 * Protocol of the `procmgr` service: starts and ends domains.
 *
 * Rules: a program is a file of the boot archive. The label of the reply is the service's
 * status (int32). A domain's exit code is got with SYS_JOIN on its handle; the domain's id is
 * what the shell shows, it is never reused.
 */
#pragma once

#include <stdint.h>

enum procmgr_call {
    /* w0 address of a struct procmgr_start in the caller's memory -> w0 a handle of the new
     * domain (WAIT, MANAGE, DUPLICATE), w1 its id. ERR_NOT_FOUND: no such file. ERR_BAD_FORMAT:
     * the file is no program that Baton can run (the reason is in the kernel's log).
     * ERR_INVALID: a length or count is out of range, or the strings do not match the count.
     * ERR_DENIED: it is to register names that the caller may not. ERR_FAULT: an address is not mapped. ERR_NO_MEMORY, ERR_NO_SPACE: no room for it. */
    PROCMGR_START = 1,
    /* w0 domain id -> nothing. It ends with EXIT_KILLED. ERR_NOT_FOUND: no such domain, or it
     * has ended. ERR_DENIED: the kernel's own domain. */
    PROCMGR_KILL = 2,
};

/* The arguments are `argument_count` zero-terminated strings one behind the other, the first
 * of them argv[0]; `argument_bytes` counts the zeros. */
struct procmgr_start {
    uint64_t name_address;
    uint64_t name_bytes; /* 1 to MAX_PROGRAM_NAME_BYTES - 1, no terminating zero */
    uint64_t argument_address;
    uint64_t argument_bytes; /* 0 to MAX_ARGUMENT_BYTES */
    uint64_t argument_count; /* 0 to MAX_ARGUMENTS */
    /* The names that it may register: patterns with a blank between them, each a name or the beginning of names with
     * a `*` behind it; no terminating zero. */
    uint64_t register_address;
    uint64_t
        register_bytes; /* 0: none; up to MAX_REGISTER_BYTES - 1; PROCMGR_INHERIT: what the caller may */
};
#define PROCMGR_INHERIT (~0UL)
_Static_assert(sizeof(struct procmgr_start) == 56, "no padding in a protocol structure");
