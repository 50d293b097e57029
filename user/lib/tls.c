/* SPDX-License-Identifier: MIT */
#include "user/lib/tls_priv.h"

#include <stdint.h>
#include <string.h>

/* Made by user.ld: addresses that are sizes, and where the template is. */
extern const char __tls_bytes[];
extern const char __tdata_bytes[];
extern const char __tdata_start[];

size_t tls_bytes(void)
{
    return (size_t)(uintptr_t)__tls_bytes;
}

void tls_fill(void *block)
{
    memcpy(block, __tdata_start, (size_t)(uintptr_t)__tdata_bytes);
}
