/* SPDX-License-Identifier: MIT */
/*
 * What a port is made of, where it is more than fits into registers.
 *
 * Rules: no padding: structures are copied as they are. `user/lib/object.h` documents the calls.
 */
#pragma once

#include <stdint.h>

/* What one run of a service stands on. */
struct port_stack {
    uint64_t top;  /* where its stack begins; it grows down */
    uint64_t tp;   /* its thread-local block */
    uint64_t page; /* its message page (kernel/abi/message.h), or 0 */
};
