/* SPDX-License-Identifier: MIT */
/*
 * The boot argument parser without its state, for the first code of boot and for host tests.
 *
 * Rules: pure functions; `arguments` ends with a zero.
 */
#pragma once

#include "kernel/base/types.h"

/* As bootarg_find(), over the given text. */
bool bootarg_find_in(const char *arguments, const char *key, char *value, size_t n);

/* A decimal number of one digit or more, nothing else; false leaves *number as it was. */
bool bootarg_parse_number(const char *text, uint64_t *number);
