/* SPDX-License-Identifier: MIT */
/*
 * The cost of a call with many ports and many domains.
 *
 * Rules: a pattern that begins with GROWTH_PREFIX chooses these rows and no others: they take much memory.
 */
#pragma once

#define GROWTH_PREFIX "grow_"

/* Runs the rows that match; how many there were. */
unsigned bench_growth(const char *pattern);

/* The same for names. */
unsigned bench_growth_names(const char *pattern);

/* The same for what one thread waits for at once. */
unsigned bench_growth_signals(const char *pattern);
