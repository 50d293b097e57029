/* SPDX-License-Identifier: MIT */
/*
 * Thread-local storage: one block a thread and a service stack, at tp.
 *
 * Rules: the block begins at tp (variant I of the psABI, no header above it); below tp lie
 * TLS_CONTROL_BYTES of the library: -8(tp) is where the call stub keeps s0, -16(tp) the address of the message page
 * of who runs with this tp, or NULL.
 */
#pragma once

#include <stddef.h>

#define TLS_CONTROL_BYTES 16
#define TLS_ALIGN 64 /* at least what any program asks for; user.ld checks it */

/* Bytes of the block itself. */
size_t tls_bytes(void);

/* Copies the template to `block`; the rest of the block has to be zero already. */
void tls_fill(void *block);
