/* SPDX-License-Identifier: MIT */
/*
 * What the entry of a service finds through its cookie.
 *
 * Rules: service_entry.S knows the offsets.
 */
#pragma once

#include <stddef.h>

#include "user/lib/service.h"

struct service_record {
    service_fn fn;
    void *context;
};
_Static_assert(offsetof(struct service_record, fn) == 0, "service_entry.S");
_Static_assert(offsetof(struct service_record, context) == 8, "service_entry.S");
_Static_assert(sizeof(struct message) == 40, "service_entry.S");

/* Where the kernel enters; not a C function. */
void service_entry(void);
