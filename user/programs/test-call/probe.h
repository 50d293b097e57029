/* SPDX-License-Identifier: MIT */
/*
 * A caller and a service in assembly, which see every register.
 *
 * Rules: registers are stored by number, x1 at index 1 and so on; index 0 is not used.
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/message.h"
#include "kernel/abi/rights.h"

#define PROBE_REGISTERS 32
#define PROBE_CALLER_PATTERN 0x5c5c5c5c5c5c5c00UL /* + the register's number */

/* Calls `port` with `message` and the caller's pattern in every other register, except sp and tp; stores
 * what all registers hold afterwards. Preserves what a C function has to. */
void probe_call(handle_t port, const struct message *message, uint64_t after[PROBE_REGISTERS]);

/* The same with a deadline. */
void probe_call_until(handle_t port, const struct message *message, uint64_t after[PROBE_REGISTERS],
                      uint64_t deadline);

/* Entry of a service whose cookie is a uint64_t[PROBE_REGISTERS]: stores all registers there,
 * overwrites all of them with another pattern and 1 KiB of its stack, and returns the message unchanged. */
void probe_service(void);
