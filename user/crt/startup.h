/* SPDX-License-Identifier: MIT */
/*
 * What the first thread does before and after main.
 *
 * Rules: only crt0.S calls it.
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/rights.h"

/* The block that the loader writes at the top of the first stack; the strings lie above it. */
struct startup_block {
    uint64_t argc;
    char *argv[]; /* argc pointers, a null pointer, and a null pointer for the environment */
};

_Noreturn void startup_run(struct startup_block *block, handle_t lookup, handle_t domain,
                           handle_t device);
