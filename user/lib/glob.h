/* SPDX-License-Identifier: MIT */
/*
 * Matching of names: `*` stands for any bytes, `?` for one.
 *
 * Rules: pure; the time is at most the product of the lengths for one `*`.
 */
#pragma once

#include <stdbool.h>

bool glob_match(const char *pattern, const char *text);
