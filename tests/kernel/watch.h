/* SPDX-License-Identifier: MIT */
/*
 * The hang detector of the suite.
 *
 * Rules: two kernel threads, on the first and the last core, look now and then whether the suite
 * has gone on to another test; if not, they say so and end the machine with EXIT_LOCKUP. They sleep
 * in between, on a deadline far away.
 */
#pragma once

#include "kernel/base/types.h"

/* Start watching: a test may take `limit` at least and twice as much at most. */
void watch_start(nsec_t limit);

/* The suite goes on: `name` begins now. */
void watch_note_progress(const char *group, const char *name);
